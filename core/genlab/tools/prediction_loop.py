"""Predictions of images one after the other, and messages about them."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from genlab.engine.runtime import memory_errors
from genlab.engine.tiles import Tiles
from genlab.errors import DataError, GenlabError, PredictionError, StorageError, TrainingError
from genlab.images.write import image_suffix, write_image
from genlab.runs.direction import Direction
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.run import warn
from genlab.tools.prediction_files import PredictionSource, first_names
from genlab.tools.prediction_task import PredictionTask
from genlab.util.files import storage_errors

_log = logging.getLogger("genlab")

K = TypeVar("K")
W = TypeVar("W")

Predict = Callable[[int | None], NDArray[np.generic]]
"""Predict one image with a seed, or with the recipe's."""


def predict_each(
    task: PredictionTask,
    sources: Mapping[K, PredictionSource],
    write: Callable[[Sequence[Path], Predict], W],
    tiles: Tiles | None = None,
) -> dict[K, W]:
    """Predict from each image; returns what was written, by its key.

    Args:
        task: what to predict with, and how.
        sources: the images.
        write: predicts an image and writes its files.
        tiles: to predict in; whole images by default.

    Raises:
        PredictionError: some images could not be predicted; all were tried.
    """
    written: dict[K, W] = {}
    failures: dict[K, GenlabError] = {}
    notes = _Notes()
    for key, source in sources.items():
        try:
            with memory_errors("Predict it on a machine with more memory, or divide it."):
                image = source.read()
                predict = partial(
                    task.run.predict,
                    image,
                    source.where,
                    size=task.size,
                    to=task.to,
                    tiles=tiles,
                    on_warning=notes.warning,
                )
                written[key] = write(source.targets, lambda seed, predict=predict: predict(seed=seed))
            notes.sizes(image.shape[:2], task.direction.seen_size(image, task.size))
        except (DataError, TrainingError, StorageError) as error:
            failures[key] = error
        task.on_progress(len(written) + len(failures), len(sources))
    notes.sum_up(task.size, task.direction.factor)
    if failures:
        raise PredictionError(written, failures)
    return written


def write_prediction(path: Path, prediction: NDArray[np.generic], direction: Direction) -> None:
    """Write a prediction to a file, and make its folder; `StorageError` if that cannot be."""
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, prediction, direction.classes if direction.predicts_classes else None)


def prediction_suffix(direction: Direction) -> str:
    """Ending of the names of files that hold predictions."""
    if direction.predicts_classes:
        return ".png"
    result = direction.result_side
    return image_suffix(np.empty((1, 1, result.channels), result.dtype or "uint8"))


class _Notes:
    """Messages for the user: a warning for the first image that it applies to, and at the end the number of all."""

    def __init__(self) -> None:
        self._warnings: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._resized = Counter[str]()

    def warning(self, where: str, warning: str) -> None:
        if not self._warnings[warning]:
            warn(where, warning)
        self._warnings[warning][where] = None

    def sizes(self, stored: tuple[int, ...], seen: tuple[int, ...]) -> None:
        if stored != seen:
            self._resized["from {} x {} to {} x {}".format(*stored, *seen)] += 1

    def sum_up(self, size: PredictionSize, factor: Fraction) -> None:
        for warning, images in self._warnings.items():
            if len(images) > 1:
                _log.warning("%d images in all have this warning (%s): %s.", len(images), first_names(images), warning)
        if self._resized and size == "training":
            counts = self._resized.most_common()
            found = (f"{sizes} ({count:,} image{'s' if count > 1 else ''})" for sizes, count in counts)
            what = "Resized as in training, which is the size of predictions too: %s. --size sets another size."
            if factor != 1:
                what = "Predictions are those of images resized as in training: %s. --size sets another size."
            _log.info(what, first_names(found))
