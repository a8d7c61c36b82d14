"""A file of weights with the names and shapes of FID's Inception, and other values."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab_features import inception_fid

SHAPES = Path(__file__).with_name("inception_2015_12_05.json")
"""Names and shapes of the published file, from the source of torch-fidelity 0.4.0, which loads no more and no less."""


def published_shapes() -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in json.loads(SHAPES.read_text()).items()}


def published_like() -> dict[str, Tensor]:
    """Weights that keep a signal's size from layer to layer, the same with any version of NumPy."""
    draw = np.random.RandomState(0)
    made: dict[str, Tensor] = {}
    for name, shape in published_shapes().items():
        drawn = torch.from_numpy(draw.random_sample(shape).astype(np.float32))
        if name.endswith(("running_var", "bn.weight")):
            made[name] = 0.5 + drawn
        else:
            limit = math.sqrt(6 / math.prod(shape[1:])) if name.endswith("conv.weight") else 0.1
            made[name] = (2 * drawn - 1) * limit
    return made


def photo(height: int, width: int) -> Tensor:
    """An image of 8 bits, with waves and noise, (1, 3, height, width)."""
    i, j = np.mgrid[:height, :width]
    waves = np.stack([np.sin(i / 5 + k) * np.cos(j / (7 + k)) for k in range(3)])
    noise = np.random.RandomState(1).random_sample(waves.shape)
    return torch.from_numpy((127 * (waves + 1) * noise).astype(np.uint8))[None]


def as_genlab(image: Tensor) -> Tensor:
    """The image in [-1, 1]."""
    return image.float() / 127.5 - 1


def write_published(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Write such a file, and have it taken as the published one."""
    file = folder / "inception.pth"
    torch.save(published_like(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    patch.setattr(inception_fid, "PUBLISHED", inception_fid.PUBLISHED._replace(sha256=digest))
    return file
