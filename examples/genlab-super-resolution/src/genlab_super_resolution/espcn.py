"""ESPCN: convolutions at the small size, whose channels become pixels."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge
from genlab import Generator
from torch import Tensor, nn


class ESPCN(Generator):
    """Three convolutions at the condition's size; the last makes `scale` x `scale` pixels of each of its own.

    Sub-pixel convolution and layers are those of Shi et al. 2016, arXiv 1609.05158, sections 2.2 and 3.2.

    Args:
        scale: how many times as high and wide the output is.
        channels: feature maps of the first convolution; the second has half as many.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        scale: Annotated[int, Ge(1)] = 3,
        channels: Annotated[int, Ge(2)] = 64,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.first = nn.Conv2d(in_channels, channels, 5, padding=2)
        self.second = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.last = nn.Conv2d(channels // 2, out_channels * scale**2, 3, padding=1)

    def forward(self, condition: Tensor) -> Tensor:
        """From (n, in_channels, h, w) to (n, out_channels, scale * h, scale * w), without bounds."""
        features = self.second(self.first(condition).tanh()).tanh()
        return nn.functional.pixel_shuffle(self.last(features), self.scale)

    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        """Weights that keep the size of what passes through a tanh (Glorot and Bengio 2010); biases of zero."""
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.xavier_normal_(parameter, generator=rng)
