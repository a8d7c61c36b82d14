"""Predictions for files."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from genlab.engine.runtime import memory_errors
from genlab.errors import DataError, GenlabError, PredictionError, StorageError, TrainingError
from genlab.images.write import image_suffix, write_image
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.run import Run, warn
from genlab.tools.prediction_files import first_names, plan_predictions
from genlab.util.files import storage_errors

_log = logging.getLogger("genlab")


def write_predictions(
    run: Run,
    images: Sequence[Path],
    out: Path,
    size: PredictionSize,
    overwrite: bool,
    on_progress: Callable[[int, int], None],
) -> dict[Path, Path]:
    """Predict each image, and write the result below `out` under the image's name.

    See `genlab.predict_files` for arguments and errors.
    """
    targets = plan_predictions(images, out, _suffix(run), overwrite)
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    written: dict[Path, Path] = {}
    failures: dict[Path, GenlabError] = {}
    notes = _Notes()
    for source, target in targets.items():
        try:
            with memory_errors("Predict it on a machine with more memory, or divide it."):
                image = run.read(source)
                prediction = run.predict(image, str(source), size=size, on_warning=notes.warning)
            with storage_errors(target.parent):
                target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, prediction, run.classes)
        except (DataError, TrainingError, StorageError) as error:
            failures[source] = error
        else:
            written[source] = target
            notes.sizes(image.shape[:2], prediction.shape[:2])
        on_progress(len(written) + len(failures), len(targets))
    notes.sum_up(size)
    if failures:
        raise PredictionError(written, failures)
    return written


def _suffix(run: Run) -> str:
    """Ending of the names of files that hold the run's predictions."""
    if run.classes is not None:
        return ".png"
    return image_suffix(np.empty((1, 1, run.target.channels), "uint8" if run.target.classes else run.target.dtype))


class _Notes:
    """Messages for the user: a warning for the first image that it applies to, and at the end the number of all."""

    def __init__(self) -> None:
        self._warnings: defaultdict[str, list[str]] = defaultdict(list)
        self._resized = Counter[str]()

    def warning(self, where: str, warning: str) -> None:
        self._warnings[warning].append(where)
        if len(self._warnings[warning]) == 1:
            warn(where, warning)

    def sizes(self, stored: tuple[int, ...], predicted: tuple[int, ...]) -> None:
        if stored != predicted:
            self._resized["from {} x {} to {} x {}".format(*stored, *predicted)] += 1

    def sum_up(self, size: PredictionSize) -> None:
        for warning, images in self._warnings.items():
            if len(images) > 1:
                _log.warning("%d images in all have this warning (%s): %s.", len(images), first_names(images), warning)
        if self._resized and size == "training":
            counts = self._resized.most_common()
            found = (f"{sizes} ({count:,} image{'s' if count > 1 else ''})" for sizes, count in counts)
            what = "Resized as in training, which is the size of predictions too: %s. --size sets another size."
            _log.info(what, first_names(found))
