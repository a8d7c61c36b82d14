"""Files of weights as torchvision writes them, with other values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

CONVOLUTIONS = {
    16: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    19: (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
"""Positions in `features` of torchvision's vgg16 and vgg19."""

WIDTHS = (3, 64, 64, 128, 128)
"""Channels of the first convolutions."""


def random_weights(count: int = 3) -> dict[str, Tensor]:
    """Weights of the first convolutions of either network, and one of the classifier."""
    rng = torch.Generator().manual_seed(0)
    made = {"classifier.6.bias": torch.zeros(1000)}
    for number, index in enumerate(CONVOLUTIONS[16][:count]):
        fan_in, fan_out = WIDTHS[number : number + 2]
        made[f"features.{index}.weight"] = torch.randn(fan_out, fan_in, 3, 3, generator=rng) / fan_in**0.5 / 3
        made[f"features.{index}.bias"] = torch.randn(fan_out, generator=rng) / 10
    return made


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> Path:
    """Write a state dict in the format that a path's suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(dict(weights), path)
    else:
        torch.save(dict(weights), path)
    return path
