"""Agreement of an exported file with its run."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.errors import RunError
from genlab.interfaces.dataset import SideName
from genlab.runs.run import Run

TOLERANCE = 1e-4
"""Largest difference of predictions in [-1, 1], or of scores relative to the largest one if that is above 1."""

IMAGES = 20
_BATCH = 4


def largest_difference(
    run: Run,
    predict: Callable[[Tensor], Tensor],
    images: Tensor,
    to: SideName | None,
    batch: int = _BATCH,
    on_image: Callable[[int], None] = lambda _done: None,
) -> float:
    """Compare a file's predictions of batches with the run's of each image.

    Args:
        run: the run, which predicts each image by itself.
        predict: the loaded file.
        images: what to predict from.
        to: the side that is predicted.
        batch: how many images to give to the file at a time.
        on_image: called with the number of images that are done.

    Raises:
        RunError: a difference is beyond the tolerance.
    """
    largest = 0.0
    for done in range(0, len(images), batch):
        part = images[done : done + batch]
        expected, given = run.apply(part, to=to), predict(part)
        if given.shape != expected.shape:
            raise RunError(f"the file gives {tuple(given.shape)} where the run gives {tuple(expected.shape)}")
        difference = (given - expected).abs().max().item()
        if not difference <= TOLERANCE * max(1.0, expected.abs().max().item()):  # NaN is not
            what = f"the file's predictions differ from the run's by {difference:.3g}, and {TOLERANCE:g} is tolerated"
            raise RunError(what, hint="No file was written. A layer may compute with all images of a batch.")
        largest = max(largest, difference)
        on_image(done + len(part))
    return largest


def draw_images(count: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Draw images in [-1, 1] of blocks with noise, the same each time: (count, channels, height, width)."""
    rng = torch.Generator().manual_seed(0)
    blocks = torch.rand(count, channels, 5, 7, generator=rng) * 2 - 1
    noise = torch.randn(count, channels, *size, generator=rng) * 0.1
    return (F.interpolate(blocks, size) + noise).clamp(-1, 1)
