"""A time as features, and what it does to those of images."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

_FREQUENCIES = 64
# Times from 0 to 1 are embedded as the 1,000 steps of a diffusion are.
_STEPS = 1000
_LONGEST = 10_000


class TimeEmbedding(nn.Module):
    """Sines and cosines of a time (Ho et al. 2020, arXiv 2006.11239, appendix B), and two layers.

    Args:
        width: features that it gives.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * _FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    @override
    def forward(self, time: Float[Tensor, " n"]) -> Float[Tensor, "n e"]:
        exponents = torch.arange(_FREQUENCIES, dtype=time.dtype, device=time.device) / _FREQUENCIES
        angles = _STEPS * time[:, None] * torch.exp(-math.log(_LONGEST) * exponents)
        return self.layers(torch.cat([angles.sin(), angles.cos()], dim=1))


class TimeModulation(nn.Module):
    """Scale and shift of each feature map by a time (Dhariwal and Nichol 2021, arXiv 2105.05233, section 3.1).

    Args:
        width: features of the time.
        channels: feature maps.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * channels)

    @override
    def forward(self, features: Float[Tensor, "n c h w"], embedded: Float[Tensor, "n e"]) -> Float[Tensor, "n c h w"]:
        scale, shift = self.linear(embedded)[..., None, None].chunk(2, dim=1)
        return features * (1 + scale) + shift
