"""Features of the Inception network of the Fréchet inception distance."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Network, TrainingError
from genlab_features.weights_file import PublishedFile, read_weights

PUBLISHED = PublishedFile(
    content="FID's Inception",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    address="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
SIZE = 299
"""Height and width that the network sees."""

_ACROSS, _DOWN = (1, 7), (7, 1)


class InceptionFID(Network):
    """Features of Inception-v3 as the Fréchet inception distance has them (Heusel et al. 2017, arXiv 1706.08500).

    It gives one feature, of 2,048 channels at 8 x 8 positions. Its weights are those of TensorFlow's network of
    2015-12-05, which averages without the padding and takes maxima in its last block. As there, images are resized to
    299 x 299, bilinearly, from the upper left corner and without antialiasing, and their values from 0 to 255 become
    (value - 128) / 128. Images are taken in [-1, 1], and not rounded to 8 bits. Gray ones are repeated in three
    channels. It is not trained, and its batch norms use their running statistics.

    Not checked against published values: with weights of the same names and shapes it agrees with the networks of
    torch-fidelity 0.4.0, and, where images are resized and scaled alike, of pytorch-fid 0.3.0. The latter resizes from
    the pixels' centers and divides by 127.5, so its scores differ a little.

    Args:
        weights: the published file, `pt_inception-2015-12-05-6726825d.pth`, as it is; nothing is downloaded.

    Raises:
        ValueError: there is no such file, or it is another.
    """

    feature_channels = (2048,)

    def __init__(self, *, weights: Path) -> None:
        super().__init__()
        PUBLISHED.require(weights, "weights")  # torchvision's Inception has the same names and shapes
        with torch.device("meta"):  # draws no weights that would be replaced
            self.body = _body()
        # The file has a classifier too.
        given = {name: tensor for name, tensor in read_weights(weights).items() if not name.startswith("fc.")}
        self.body.load_state_dict(given, assign=True)
        self.requires_grad_(False).eval()

    @override
    def train(self, mode: bool = True) -> InceptionFID:
        """Stay in evaluation, in any mode."""
        return super().train(False)

    @override
    def forward(self, image: Float[Tensor, "n _ h w"]) -> Float[Tensor, "n 2048 _ _"]:
        """The feature."""
        return self.features(image)[-1]

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n 2048 _ _"]]:
        """The feature of one image in [-1, 1]; `TrainingError` if it is neither gray nor in color."""
        (image,) = images
        if image.shape[1] not in (1, 3):
            what = f"inception_fid reads images of 1 or 3 channels, got {image.shape[1]}"
            raise TrainingError(what, hint="Compare the features of a run of your own, `trained_run`.")
        values = (image.expand(-1, 3, -1, -1) + 1) * 127.5
        resized = _resize(_resize(values, dim=3), dim=2)
        return [self.body((resized - 128) / 128)]


def _resize(images: Float[Tensor, "n 3 _ _"], dim: int) -> Float[Tensor, "n 3 _ _"]:
    """Resize one dimension as TensorFlow 1 did: pixel i is read at i * length / SIZE.

    So the first pixel stays, and beyond the last one its value is repeated.
    """
    length = images.shape[dim]
    position = torch.arange(SIZE, dtype=images.dtype, device=images.device) * (length / SIZE)
    low = position.long().clamp(max=length - 1)
    share = (position - low).view(-1, *[1] * (3 - dim))
    before, after = (images.index_select(dim, index) for index in (low, (low + 1).clamp(max=length - 1)))
    return torch.lerp(before, after, share)


class _Layer(NamedTuple):
    """A convolution with batch norm and ReLU; padded unless it has a stride."""

    name: str
    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1

    def module(self, fan_in: int) -> nn.Module:
        height, width = self.kernel
        return _convolution(fan_in, self, (height // 2, width // 2) if self.stride == 1 else (0, 0))


def _convolution(fan_in: int, layer: _Layer, padding: tuple[int, int] = (0, 0)) -> nn.Module:
    conv = nn.Conv2d(fan_in, layer.channels, layer.kernel, layer.stride, padding, bias=False)
    norm = nn.BatchNorm2d(layer.channels, eps=0.001)
    return nn.Sequential(OrderedDict(conv=conv, bn=norm, relu=nn.ReLU()))


class _Branch(NamedTuple):
    """Layers one after the other, and those that all read what the last of these gives."""

    trunk: Sequence[_Layer]
    ends: Sequence[_Layer] = ()


class _Block(nn.ModuleDict):
    """Branches side by side, joined; the last one begins with pooling."""

    def __init__(self, fan_in: int, branches: Sequence[_Branch], pool: nn.Module) -> None:
        super().__init__({"pool": pool})
        self.branches, self.channels = branches, 0
        for trunk, ends in branches:
            channels = fan_in
            for layer in trunk:
                self[layer.name] = layer.module(channels)
                channels = layer.channels
            for layer in ends:
                self[layer.name] = layer.module(channels)
            self.channels += sum(layer.channels for layer in ends) or channels

    @override
    def forward(self, image: Float[Tensor, "n _ _ _"]) -> Float[Tensor, "n _ _ _"]:
        found: list[Tensor] = []
        for branch in self.branches:
            hidden = self["pool"](image) if branch is self.branches[-1] else image
            for layer in branch.trunk:
                hidden = self[layer.name](hidden)
            found += [self[layer.name](hidden) for layer in branch.ends] or [hidden]
        return torch.cat(found, dim=1)


def _body() -> nn.Sequential:
    """All layers before the classifier, by the names of the published file."""
    three = (3, 3)
    body = nn.Sequential(
        OrderedDict(
            Conv2d_1a_3x3=_convolution(3, _Layer("1a", 32, three, stride=2)),
            Conv2d_2a_3x3=_convolution(32, _Layer("2a", 32, three)),
            Conv2d_2b_3x3=_convolution(32, _Layer("2b", 64, three), padding=(1, 1)),
            pool1=nn.MaxPool2d(3, stride=2),
            Conv2d_3b_1x1=_convolution(64, _Layer("3b", 80)),
            Conv2d_4a_3x3=_convolution(80, _Layer("4a", 192, three)),
            pool2=nn.MaxPool2d(3, stride=2),
        )
    )
    mean, largest = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), nn.MaxPool2d(3, 1, padding=1)
    halving = nn.MaxPool2d(3, stride=2)
    channels = 192
    for name, branches, pool in (
        ("5b", _fives(pooled=32), mean),
        ("5c", _fives(pooled=64), mean),
        ("5d", _fives(pooled=64), mean),
        ("6a", _to_17(), halving),
        ("6b", _sevens(128), mean),
        ("6c", _sevens(160), mean),
        ("6d", _sevens(160), mean),
        ("6e", _sevens(192), mean),
        ("7a", _to_8(), halving),
        ("7b", _forks(), mean),
        ("7c", _forks(), largest),
    ):
        block = _Block(channels, branches, pool)
        body.add_module(f"Mixed_{name}", block)
        channels = block.channels
    return body


def _fives(pooled: int) -> Sequence[_Branch]:
    return (
        _Branch([_Layer("branch1x1", 64)]),
        _Branch([_Layer("branch5x5_1", 48), _Layer("branch5x5_2", 64, (5, 5))]),
        _Branch(
            [
                _Layer("branch3x3dbl_1", 64),
                _Layer("branch3x3dbl_2", 96, (3, 3)),
                _Layer("branch3x3dbl_3", 96, (3, 3)),
            ]
        ),
        _Branch([_Layer("branch_pool", pooled)]),
    )


def _to_17() -> Sequence[_Branch]:
    return (
        _Branch([_Layer("branch3x3", 384, (3, 3), stride=2)]),
        _Branch(
            [
                _Layer("branch3x3dbl_1", 64),
                _Layer("branch3x3dbl_2", 96, (3, 3)),
                _Layer("branch3x3dbl_3", 96, (3, 3), stride=2),
            ]
        ),
        _Branch([]),
    )


def _sevens(width: int) -> Sequence[_Branch]:
    return (
        _Branch([_Layer("branch1x1", 192)]),
        _Branch(
            [
                _Layer("branch7x7_1", width),
                _Layer("branch7x7_2", width, _ACROSS),
                _Layer("branch7x7_3", 192, _DOWN),
            ]
        ),
        _Branch(
            [
                _Layer("branch7x7dbl_1", width),
                _Layer("branch7x7dbl_2", width, _DOWN),
                _Layer("branch7x7dbl_3", width, _ACROSS),
                _Layer("branch7x7dbl_4", width, _DOWN),
                _Layer("branch7x7dbl_5", 192, _ACROSS),
            ]
        ),
        _Branch([_Layer("branch_pool", 192)]),
    )


def _to_8() -> Sequence[_Branch]:
    return (
        _Branch([_Layer("branch3x3_1", 192), _Layer("branch3x3_2", 320, (3, 3), stride=2)]),
        _Branch(
            [
                _Layer("branch7x7x3_1", 192),
                _Layer("branch7x7x3_2", 192, _ACROSS),
                _Layer("branch7x7x3_3", 192, _DOWN),
                _Layer("branch7x7x3_4", 192, (3, 3), stride=2),
            ]
        ),
        _Branch([]),
    )


def _forks() -> Sequence[_Branch]:
    return (
        _Branch([_Layer("branch1x1", 320)]),
        _Branch(
            [_Layer("branch3x3_1", 384)],
            ends=[_Layer("branch3x3_2a", 384, (1, 3)), _Layer("branch3x3_2b", 384, (3, 1))],
        ),
        _Branch(
            [_Layer("branch3x3dbl_1", 448), _Layer("branch3x3dbl_2", 384, (3, 3))],
            ends=[_Layer("branch3x3dbl_3a", 384, (1, 3)), _Layer("branch3x3dbl_3b", 384, (3, 1))],
        ),
        _Branch([_Layer("branch_pool", 192)]),
    )
