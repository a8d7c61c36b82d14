"""A generator that can be exported less freely than others, or not at all."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

import genlab

genlab_interface = "1.0"


class Odd(genlab.Generator):
    """A convolution, and something that is odd.

    Args:
        oddity: an operator that ONNX lacks, a weight for each pixel, a mean over the batch, or a value that changes
            with each call.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, oddity: Literal["operator", "size", "batch", "calls"] = "operator"
    ) -> None:
        super().__init__()
        self.oddity = oddity
        self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.pixels = nn.Parameter(torch.ones(32, 32))
        self.calls = 0

    def forward(self, condition: Tensor) -> Tensor:
        features = self.layer(condition)
        self.calls += 1
        match self.oddity:
            case "operator":
                return features + torch.special.bessel_j0(features.detach())
            case "size":
                return features * self.pixels
            case "batch":
                return features - features.mean(dim=0, keepdim=True) / 2
            case "calls":
                return features + self.calls / 100


@genlab.hookimpl
def genlab_register(registry: genlab.Registry) -> None:
    registry.generator("odd", Odd)
