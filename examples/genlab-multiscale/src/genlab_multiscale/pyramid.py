"""A discriminator that sees an image at several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Le
from genlab import Discriminator, Level, Scored
from torch import Tensor, nn

SLOPE = 0.2
"""Of the LeakyReLU below zero."""


class Pyramid(Discriminator):
    """Discriminators of patches at full size, half, quarter and so on (Wang et al. 2018, 1711.11585, section 3.2).

    Each has weights of its own: 4x4 convolutions of stride 2 with a LeakyReLU, and a 3x3 convolution that makes scores
    of the last features. There is no norm layer. Features are those of all LeakyReLUs, of the full size first.

    Args:
        scales: how many sizes there are; each is the one before, averaged over squares of 2x2 pixels.
        halvings: convolutions of stride 2 at each size; one score sees 8, 18, 38, 78, ... pixels of it.
        channels: feature maps of the first convolution; they double with each halving, up to 8 times as many.
    """

    def __init__(
        self,
        condition_channels: int,
        image_channels: int,
        *,
        scales: Annotated[int, Ge(1), Le(8)] = 2,
        halvings: Annotated[int, Ge(1), Le(8)] = 3,
        channels: Annotated[int, Ge(1)] = 32,
    ) -> None:
        super().__init__()
        widths = [channels * 2 ** min(number, 3) for number in range(halvings)]
        self.scales = nn.ModuleList(Patches(condition_channels + image_channels, widths) for _ in range(scales))
        self.feature_channels = widths * scales
        smallest = 2 ** (scales - 1)
        self.receptive_field = smallest * (5 * 2**halvings - 2)
        self.min_size = smallest * 2**halvings

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        """From (n, condition_channels, h, w) and (n, image_channels, h, w) to a map of scores for each size."""
        seen = torch.cat([condition, image], dim=1)
        maps: list[Tensor] = []
        features: list[Tensor] = []
        for patches in self.scales:
            *layers, scores = patches(seen)
            maps.append(scores)
            features += layers
            seen = nn.functional.avg_pool2d(seen, 2)
        return Scored(maps, features)

    def levels(self) -> Sequence[Level]:
        """Each convolution of each size."""
        return [
            Level(f"scale {scale}, layer {number}", layer)
            for scale, patches in enumerate(self.scales, start=1)
            for number, layer in enumerate(patches.children(), start=1)
        ]

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        """Weights that keep the size of what passes (He et al. 2015, equation 15); biases of zero."""
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.kaiming_normal_(parameter, a=SLOPE, generator=rng)


class Patches(nn.ModuleList):
    """Convolutions that score the patches of one size; called, it gives the features of each layer, then scores."""

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        halving = (nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise([in_channels, *widths]))
        super().__init__([*halving, nn.Conv2d(widths[-1], 1, 3, padding=1)])

    def forward(self, seen: Tensor) -> list[Tensor]:
        *halving, scoring = self
        features: list[Tensor] = []
        for convolution in halving:
            seen = nn.functional.leaky_relu(convolution(seen), SLOPE)
            features.append(seen)
        return [*features, scoring(seen)]
