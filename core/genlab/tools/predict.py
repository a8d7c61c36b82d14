"""Predictions for files."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from genlab.engine.runtime import memory_errors
from genlab.errors import DataError, GenlabError, PredictionError, StorageError, TrainingError
from genlab.images.write import image_suffix, write_image
from genlab.interfaces.dataset import SideName
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.direction import Direction
from genlab.runs.folder import RunFolder
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.run import Run, warn
from genlab.tools.prediction_files import first_names, plan_predictions
from genlab.util.arguments import as_list, as_path
from genlab.util.files import storage_errors

_log = logging.getLogger("genlab")


def predict_files(
    run: str | Path,
    images: Iterable[str | Path],
    out: str | Path,
    *,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    size: PredictionSize = "training",
    to: SideName | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[Path, Path]:
    """Predict from image files with a trained generator, and write the predictions.

    Files are read as the run's training read them, and predictions have the depth and the range of its targets. All
    files are tried, and the error at the end lists those that failed. Conflicts of file names are errors before the
    first prediction.

    Args:
        run: the run's folder.
        images: files and folders; folders are searched for images, and those below them too.
        out: the folder for the predictions, which have the names of their images, and for those of a folder the
            places below it.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        size: height and width to resize images to, in pixels, one number for a square; `training` resizes them as
            training resized its pairs, and `stored` not at all. Predictions have that size, or `input.scale` times it.
            `genlab.Run.predict` describes it.
        to: the side to predict, `a` or `b`; the target by default. The way back takes images of the target's side.
        overwrite: whether files that are there already may be replaced; an image among `images` never is.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Returns:
        The file of each image's prediction, by the image's own.

    Raises:
        PredictionError: some images could not be predicted; it has the files that were written and the failures.
        DataError: an image is not there, or two predictions, or one and an image, would be one file.
        StorageError: files are there already, or cannot be written.
        RunError: not a run, it has no such checkpoint or no way back, or it has code that is not trusted.
        DeviceError: the device asked for is not there.
    """
    sources = [as_path(image) for image in as_list(images, "images")]
    opened = Run(RunFolder.existing(as_path(run)), device, trust=trust, checkpoint=checkpoint)
    direction = opened.direction(to)
    targets = plan_predictions(sources, as_path(out), _suffix(direction), overwrite)
    with storage_errors(as_path(out)):
        as_path(out).mkdir(parents=True, exist_ok=True)
    written: dict[Path, Path] = {}
    failures: dict[Path, GenlabError] = {}
    notes = _Notes()
    for source, target in targets.items():
        try:
            _predict_file(opened, source, target, size, to, notes)
            written[source] = target
        except (DataError, TrainingError, StorageError) as error:
            failures[source] = error
        on_progress(len(written) + len(failures), len(targets))
    notes.sum_up(size, direction.factor)
    if failures:
        raise PredictionError(written, failures)
    return written


def _predict_file(
    run: Run, source: Path, target: Path, size: PredictionSize, to: SideName | None, notes: _Notes
) -> None:
    with memory_errors("Predict it on a machine with more memory, or divide it."):
        image = run.read(source, to=to)
        prediction = run.predict(image, str(source), size=size, to=to, on_warning=notes.warning)
    with storage_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    direction = run.direction(to)
    write_image(target, prediction, direction.classes if direction.predicts_classes else None)
    notes.sizes(image.shape[:2], direction.seen_size(image, size))


def _suffix(direction: Direction) -> str:
    """Ending of the names of files that hold predictions."""
    if direction.predicts_classes:
        return ".png"
    result = direction.result_side
    return image_suffix(np.empty((1, 1, result.channels), result.dtype or "uint8"))


class _Notes:
    """Messages for the user: a warning for the first image that it applies to, and at the end the number of all."""

    def __init__(self) -> None:
        self._warnings: defaultdict[str, list[str]] = defaultdict(list)
        self._resized = Counter[str]()

    def warning(self, where: str, warning: str) -> None:
        self._warnings[warning].append(where)
        if len(self._warnings[warning]) == 1:
            warn(where, warning)

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
