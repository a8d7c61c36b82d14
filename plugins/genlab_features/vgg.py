"""Features of VGG networks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Level, Network, TrainingError
from genlab_features.weights_file import read_weights

Depth = Literal[16, 19]

_CONVOLUTIONS: Mapping[Depth, Sequence[int]] = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's photos in [0, 1], by which these networks were trained (torchvision's VGG16_Weights.transforms)."""
_FILES: Mapping[Depth, str] = {16: "vgg16-397923af.pth", 19: "vgg19-dcbb9e9d.pth"}


class _Layer(NamedTuple):
    """A layer by the name of the papers, such as conv1_2, with its channels in and out."""

    name: str
    fan_in: int
    fan_out: int

    def module(self) -> nn.Module:
        if self.name.startswith("conv"):
            return nn.Conv2d(self.fan_in, self.fan_out, 3, padding=1)
        return nn.ReLU() if self.name.startswith("relu") else nn.MaxPool2d(2)


class VGG(Network):
    """Features of VGG-16 or VGG-19 (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, D and E).

    Weights are read from a file with torchvision's names; nothing is downloaded. Images in [-1, 1] are normalized as
    ImageNet's photos were; gray ones are repeated in three channels. Only the layers up to the last named are built.

    Args:
        weights: the file, `.safetensors`, or `.pth` of `torch.save`.
        depth: 16 or 19 layers with weights.
        layers: whose outputs are features, such as `conv3_2` or `relu3_2`: the second convolution of the third block,
            or what its ReLU makes of it. The default layers are those of the style loss
            of Johnson et al. 2016, section 4.1.

    Raises:
        ValueError: there is no such layer, or no such file, or its weights do not fit.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        weights: Path,
        depth: Depth = 16,
        layers: list[str] = ["relu1_2", "relu2_2", "relu3_3", "relu4_3"],  # noqa: B006  (read only)
    ) -> None:
        super().__init__()
        every = list(_layers(depth))
        names = [layer.name for layer in every]
        if not layers or not set(layers) <= set(names):
            wrong = next((name for name in layers if name not in names), "none")
            raise ValueError(f"layers names {wrong}; VGG-{depth} has {', '.join(names)}")
        self._taken = sorted(names.index(name) for name in set(layers))
        built = every[: self._taken[-1] + 1]
        self.feature_channels = tuple(every[index].fan_out for index in self._taken)
        self.min_size = 2 ** sum(layer.name.startswith("pool") for layer in built)
        self.body = nn.Sequential(OrderedDict((layer.name, layer.module()) for layer in built))
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(3, 1, 1), persistent=False)
        self._load(weights, depth, every)

    @override
    def forward(self, image: Float[Tensor, "n _ h w"]) -> Float[Tensor, "n _ _ _"]:
        """The last feature."""
        return self.features(image)[-1]

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The outputs of the named layers, of one image in [-1, 1], outermost first.

        Raises:
            TrainingError: the image is neither gray nor in color, or too small.
        """
        (image,) = images
        channels, height, width = image.shape[1:]
        if channels not in (1, 3) or min(height, width) < self.min_size:
            what = f"vgg reads images of 1 or 3 channels and at least {self.min_size} pixels a side"
            hint = "Compare the features of a run of your own, `trained_run`, or of layers further out."
            raise TrainingError(f"{what}, got {channels} channels, {height} x {width}", hint=hint)
        hidden = ((image.expand(-1, 3, -1, -1) + 1) / 2 - self.mean) / self.deviation
        found: list[Tensor] = []
        for index, layer in enumerate(self.body):
            hidden = layer(hidden)
            if index in self._taken:
                found.append(hidden)
        return found

    @override
    def levels(self) -> Sequence[Level]:
        """The layers in order."""
        return [Level(name, layer) for name, layer in self.body.named_children()]

    def _load(self, file: Path, depth: Depth, every: Sequence[_Layer]) -> None:
        try:
            given = read_weights(file)
        except ValueError as error:
            where = f"https://download.pytorch.org/models/{_FILES[depth]}"
            raise ValueError(f"weights: {error}; torchvision's are at {where}, to be downloaded once") from error
        positions = {layer.name: index for index, layer in enumerate(every)}
        convolutions = [index for name, index in positions.items() if name.startswith("conv")]
        known = {f"features.{index}.{part}" for index in convolutions for part in ("weight", "bias")}
        wanted: dict[str, tuple[str, Tensor]] = {}
        for name, tensor in self.body.state_dict().items():
            layer, _, part = name.partition(".")
            wanted[f"features.{positions[layer]}.{part}"] = (name, tensor)
        if others := [name for name in given if name.startswith("features.") and name not in known]:
            raise ValueError(f"weights: {file} is not of VGG-{depth}: it has {_some(others)}; is `depth` right?")
        if missing := [name for name in wanted if name not in given]:
            raise ValueError(f"weights: {file} lacks {_some(missing)}, which VGG-{depth} has in torchvision")
        if odd := [name for name, (_, tensor) in wanted.items() if given[name].shape != tensor.shape]:
            shapes = f"{tuple(given[odd[0]].shape)}; expected {tuple(wanted[odd[0]][1].shape)}"
            raise ValueError(f"weights: in {file}, {odd[0]} has the shape {shapes}")
        self.body.load_state_dict({own: given[name] for name, (own, _) in wanted.items()})


def _layers(depth: Depth) -> Iterator[_Layer]:
    """All layers in order, whose positions are those in torchvision's `features`."""
    fan_in = 3
    for block, (count, fan_out) in enumerate(zip(_CONVOLUTIONS[depth], _CHANNELS, strict=True), start=1):
        for number in range(1, count + 1):
            yield _Layer(f"conv{block}_{number}", fan_in, fan_out)
            yield _Layer(f"relu{block}_{number}", fan_out, fan_out)
            fan_in = fan_out
        yield _Layer(f"pool{block}", fan_out, fan_out)


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
