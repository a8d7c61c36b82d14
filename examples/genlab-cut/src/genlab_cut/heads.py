"""Heads that project features, place by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import genlab
import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import normalize


class PatchHeads(genlab.Network):
    """A perceptron of two layers for each of a network's features (Park et al. 2020, section 3).

    Args:
        channels: length of the vectors that it gives; the paper has 256.
    """

    def __init__(self, in_channels: Sequence[int], *, channels: Annotated[int, Ge(1)] = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1))
            for width in in_channels
        )

    def forward(self, *features: Tensor) -> Tensor:
        """From k features (n, c, p, 1), of p places each, to vectors (n, channels, p, k) of length 1."""
        return normalize(torch.cat([head(feature) for head, feature in zip(self.heads, features, strict=True)], dim=3))

    def levels(self) -> Sequence[genlab.Level]:
        return [genlab.Level(f"head {number}", head) for number, head in enumerate(self.heads, start=1)]
