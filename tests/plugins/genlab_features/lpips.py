"""Files of weights for LPIPS: a VGG-16 with other values, and the published weights of channels."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics
from tests.plugins.genlab_features.weights import CONVOLUTIONS, write_weights
from torch import Tensor
from torch.nn import functional as F

from genlab_features import lpips, vgg

LINEAR = Path(torchmetrics.__file__).parent / "functional/image/lpips_models/vgg.pth"
"""The published file, which the package torchmetrics contains."""

CHANNELS = (64, 128, 256, 512, 512)
"""Of the five layers."""


def vgg16_like(channels: Sequence[int] = CHANNELS) -> dict[str, Tensor]:
    """Weights that keep a signal's size from layer to layer, the same with any version of NumPy."""
    draw, fan_in = np.random.RandomState(0), 3
    widths = [width for width, count in zip(channels, (2, 2, 3, 3, 3), strict=True) for _ in range(count)]
    made: dict[str, Tensor] = {}
    for index, width in zip(CONVOLUTIONS[16], widths, strict=True):
        limit = (6 / (9 * fan_in)) ** 0.5
        for part, shape, most in (("weight", (width, fan_in, 3, 3), limit), ("bias", (width,), 0.1)):
            drawn = torch.from_numpy(draw.random_sample(shape).astype(np.float32))
            made[f"features.{index}.{part}"] = (2 * drawn - 1) * most
        fan_in = width
    return made


def write_trunk(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Write such a file, and have it taken as the published one."""
    file = write_weights(folder / "vgg16.pth", vgg16_like())
    patch.setattr(lpips, "TRUNK", lpips.TRUNK._replace(sha256=digest(file)))
    return file


def write_small(folder: Path, patch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Settings with files of few channels, which are taken as the published ones."""
    channels = (4, 6, 8, 10, 12)
    drawn = {
        f"lin{index}.model.1.weight": torch.linspace(0, 1, width).view(1, width, 1, 1)
        for index, width in enumerate(channels)
    }
    linear = write_weights(folder / "linear.pth", drawn)
    trunk = write_weights(folder / "small.pth", vgg16_like(channels))
    patch.setattr(vgg, "_CHANNELS", channels)
    patch.setattr(lpips, "TRUNK", lpips.TRUNK._replace(sha256=digest(trunk)))
    patch.setattr(lpips, "LINEAR", lpips.LINEAR._replace(sha256=digest(linear)))
    return {"weights": trunk, "linear": linear}


def by_layers(files: Mapping[str, Path], target: Tensor, prediction: Tensor, mask: Tensor | None = None) -> Tensor:
    """The distance of each image by its definition, in float64; masks are averaged over the pixels of a position."""
    trunk, linear = (torch.load(files[name]) for name in ("weights", "linear"))
    shift, scale = torch.tensor([[-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]]).double().view(2, 3, 1, 1)
    sides = [(image.double() - shift) / scale for image in (target, prediction)]
    mask = torch.ones_like(target[:, :1]) if mask is None else mask
    total = torch.zeros(len(target)).double()
    convolutions = iter(CONVOLUTIONS[16])
    for block, count in enumerate((2, 2, 3, 3, 3)):
        if block:
            sides = [F.max_pool2d(side, 2) for side in sides]
        for index in itertools.islice(convolutions, count):
            weight, bias = (trunk[f"features.{index}.{part}"].double() for part in ("weight", "bias"))
            sides = [F.conv2d(side, weight, bias, padding=1).relu() for side in sides]
        one, other = (side / (side.square().sum(1, keepdim=True).sqrt() + 1e-10) for side in sides)
        distance = F.conv2d((one - other).square(), linear[f"lin{block}.model.1.weight"].double())
        share = F.interpolate(mask.double(), distance.shape[-2:], mode="area")
        total += (distance * share).sum(dim=(1, 2, 3)) / share.sum(dim=(1, 2, 3))
    return total


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
