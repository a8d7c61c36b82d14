"""Settings that change what a training does, many at once, and the images and the run that they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import genlab

AVERAGED = ["train.accumulate=2", "train.batch_size=2", "ema.horizon=9"]
AUGMENTED = "augment={jitter={amount=0.125}, flip={}, d4={}, affine={rotation=10.0}, color={side='target'}}"
IGNORED = "data={name='labels_from_values', values=2, ignore=255, source={name='two_folders', root='images'}}"
MASKED = "data={name='masks_from_folder', root='images/mask', source={name='two_folders', root='images'}}"
UNPAIRED = "data={name='unpaired_folders', root='images'}"
STARTED = "init.generator={from='start', freeze=['encoder 1']}"
"""Paths begin in the folder that `write_images` fills."""


def write_images(folder: Path, tiny: Path) -> None:
    """Write photos of several sizes, maps of two classes and an ignored value, masks, and photos without pairs.

    In the folder `start` is a run of the tiny recipe after a step.
    """
    random = np.random.default_rng(0)
    for split, other, count in (("train", "train", 3), ("val", "test", 1)):
        for number in range(count):
            size = 40 + 4 * number, 48 - 4 * number
            photo, unpaired = random.integers(0, 256, (2, *size, 3), dtype=np.uint8)
            labels = random.choice(np.array([0, 1, 255], np.uint8), size)
            _save(folder / f"images/A/{split}/{number}.png", photo)
            _save(folder / f"images/B/{split}/{number}.png", labels)
            _save(folder / f"images/mask/{split}/{number}.png", np.where(labels == 255, 0, 255).astype(np.uint8))
            _save(folder / f"images/{other}A/{number}.png", photo)
            _save(folder / f"images/{other}B/{number}.png", unpaired)
    genlab.train(tiny, overrides=["train.steps=1", "evaluate.validations=1"], out=folder / "start")


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
