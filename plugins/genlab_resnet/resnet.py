"""The residual generator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Lt
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Generator, Level
from genlab_resnet.layers import NormName, PaddingMode, ResidualBlock, convolved, upsampled

_HALVINGS = 2
_SPREAD = 0.02


class ResNet(Generator):
    """Residual blocks at a quarter of the height and width (Johnson et al. 2016, arXiv 1603.08155, section 3.1).

    As CycleGAN has it (Zhu et al. 2017, arXiv 1703.10593, section 7.2): a convolution 7x7, two of 3x3 and stride 2, the
    blocks, two transposed convolutions 3x3 of stride 2, and a convolution 7x7. Each but the last has a norm and a ReLU.

    With a `scale` above 1 the prediction is so many times as high and wide as the condition. Then, as in Johnson et
    al., nothing is halved, there are `channels` feature maps throughout, one transposed convolution doubles for each
    factor of 2, and the first and last convolution are 9x9.

    Features are those of the first half: the convolutions before the blocks, and the first half of these (Park et al.
    2020, arXiv 2007.15651, section 3, match five of them and the pixels).

    Args:
        blocks: residual blocks: CycleGAN has 6 for images of 128 pixels and 9 for larger ones, Johnson et al. have 4
            for super-resolution.
        channels: feature maps of the first convolution; they double with each halving.
        norm: instance norm (without scale and shift), batch norm, or none.
        padding: how images are padded before convolutions of stride 1.
        dropout: the share of features in each block that is dropped in training.
        scale: how many times as high and wide the prediction is.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        blocks: Annotated[int, Ge(1)] = 9,
        channels: Annotated[int, Ge(1)] = 64,
        norm: NormName = "instance",
        padding: PaddingMode = "reflect",
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        scale: Literal[1, 2, 4, 8] = 1,
    ) -> None:
        super().__init__()
        self.scale = scale
        halvings = _HALVINGS if scale == 1 else 0
        doublings = halvings or scale.bit_length() - 1
        self.size_multiple = 2**halvings
        edge = 7 if scale == 1 else 9
        widths = [channels * 2**level for level in range(halvings + 1)]
        inner = widths[-1]

        self.first = convolved(in_channels, channels, edge, norm, padding)
        self.down = nn.ModuleList(
            convolved(fan_in, fan_out, 3, norm, "zeros", stride=2) for fan_in, fan_out in pairwise(widths)
        )
        self.blocks = nn.ModuleList(ResidualBlock(inner, norm, padding, dropout) for _ in range(blocks))
        ups = [*reversed(widths)] if halvings else [channels] * (doublings + 1)
        self.up = nn.ModuleList(upsampled(fan_in, fan_out, norm) for fan_in, fan_out in pairwise(ups))
        self.last = nn.Conv2d(channels, out_channels, edge, padding=edge // 2, padding_mode=padding)

        self._matched = (blocks + 1) // 2
        self.feature_channels = [*widths, *[inner] * self._matched]

    @override
    def forward(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        features = condition
        for layer in chain([self.first], self.down, self.blocks, self.up, [self.last]):
            features = layer(features)
        return features

    @override
    def features(self, *images: Float[Tensor, "n _ _ _"]) -> Sequence[Float[Tensor, "n _ _ _"]]:
        """The outputs of the first half, of one image, in order."""
        features = [*images]
        for layer in chain([self.first], self.down, self.blocks[: self._matched]):
            features.append(layer(features[-1]))
        return features[1:]

    @override
    def levels(self) -> Sequence[Level]:
        """The stages in order."""
        named = {"down": self.down, "block": self.blocks, "up": self.up}
        inner = [
            Level(f"{name} {number}", layer)
            for name, layers in named.items()
            for number, layer in enumerate(layers, start=1)
        ]
        return [Level("first", self.first), *inner, Level("last", self.last)]

    @override
    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        """Draw weights as CycleGAN does (section 7.1): from N(0, 0.02); scales of norms from N(1, 0.02), biases 0."""
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter, mean=1.0 if parameter.ndim == 1 else 0.0, std=_SPREAD, generator=rng)
