"""Several predictions of each image, and how they spread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from genlab.data.sides import value_range
from genlab.errors import ArgumentError
from genlab.images.write import write_image
from genlab.interfaces.dataset import SideName
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.opening import open_run
from genlab.runs.prediction_size import PredictionSize
from genlab.tools.drawn_predictions import require_drawn
from genlab.tools.prediction_files import PredictionSource, file_sources
from genlab.tools.prediction_loop import Predict, predict_each, prediction_suffix, write_prediction
from genlab.tools.prediction_pairs import PredictedSplit, pair_sources
from genlab.tools.prediction_task import PredictionTask
from genlab.tools.spread import deviation_of_images, disagreement_of_classes, spread_map
from genlab.util.arguments import as_path, checked_arguments

_log = logging.getLogger("genlab")

K = TypeVar("K")

MOST_SAMPLES = 100


class SampledFiles(NamedTuple):
    """Files of the samples of an image.

    Args:
        samples: the file of each.
        spread: the map of their spread, in gray of 8 bits: a standard deviation of a quarter of the range of values or
            more is white; of classes, a share of 1.
        mean_spread: the mean over pixels: of the standard deviation over samples, mean over channels, as a share of the
            range of values; or of the share of samples that do not have a pixel's most frequent class.
    """

    samples: tuple[Path, ...]
    spread: Path
    mean_spread: float


@checked_arguments
def sample_files(
    run: str | Path,
    images: Iterable[str | Path],
    out: str | Path,
    *,
    samples: int,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    size: PredictionSize = "training",
    to: SideName | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[Path, SampledFiles]:
    """Predict several times from each of some image files, with other draws, and write a map of the spread.

    Sample k is drawn with the seed `inference.seed` + k - 1. The files of `photo.jpg` are `photo.1.png`, `photo.2.png`
    and so on, and `photo.spread.png`. All else is as `predict_files` has it.

    Args:
        run: the run's folder.
        images: files and folders.
        out: the folder for the predictions.
        samples: how many predictions of each image, from 2 to 100.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        size: as in `predict_files`.
        to: the side to predict, `a` or `b`; the target by default.
        overwrite: whether files that are there already may be replaced; an image among `images` never is.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Returns:
        The files of each image, by the image's own.

    Raises:
        ArgumentError: `samples` is not from 2 to 100.
        PredictionError: some images could not be predicted; it has the files that were written and the failures.
        DataError: an image is not there, or two predictions, or one and an image, would be one file.
        StorageError: files are there already, or cannot be written.
        RunError: all samples would be the same, as neither dropout nor the method draws; or as in `predict_files`.
        DeviceError: the device asked for is not there.
    """
    given = [as_path(image) for image in images]
    _require_possible(samples)
    opened = open_run(run, checkpoint=checkpoint, device=device, trust=trust)
    task = PredictionTask(opened, as_path(out), size, to, overwrite, on_progress)
    return _sample_each(task, file_sources(task, given, _endings(task, samples)))


@checked_arguments
def sample_pairs(
    run: str | Path,
    out: str | Path,
    *,
    samples: int,
    split: PredictedSplit = "validation",
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    size: PredictionSize = "training",
    to: SideName | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, SampledFiles]:
    """Predict several times from each of a run's own pairs, as `sample_files` does, with names as in `predict_pairs`.

    Args:
        run: the run's folder, whose data is where it was in training.
        out: the folder for the predictions.
        samples: how many predictions of each pair, from 2 to 100.
        split: whose pairs.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        size: as in `predict_files`.
        to: the side to predict, `a` or `b`; the target by default.
        overwrite: whether files that are there already may be replaced.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Returns:
        The files of each pair, by the pair's key.

    Raises:
        ArgumentError: there is no such split, or `samples` is not from 2 to 100.
        PredictionError: some pairs could not be predicted; it has the files that were written and the failures.
        DataError: the data is not there or has changed, it has no such split, or two images have one key.
        StorageError: files are there already, or cannot be written.
        RunError: all samples would be the same, as neither dropout nor the method draws; or as in `predict_files`.
        DeviceError: the device asked for is not there.
    """
    _require_possible(samples)
    opened = open_run(run, checkpoint=checkpoint, device=device, trust=trust)
    task = PredictionTask(opened, as_path(out), size, to, overwrite, on_progress)
    return _sample_each(task, pair_sources(task, split, _endings(task, samples)))


def _require_possible(samples: int) -> None:
    """Raise an `ArgumentError` for a number of samples that makes no sense."""
    if not 2 <= samples <= MOST_SAMPLES:
        raise ArgumentError(f"expected an integer from 2 to {MOST_SAMPLES}, got {samples}", where="samples")


def _endings(task: PredictionTask, samples: int) -> Sequence[str]:
    """Endings of the names of an image's files; `RunError` if its samples would not differ."""
    suffix = prediction_suffix(task.direction)
    require_drawn(task.run, task.to)
    return [*(f".{number}{suffix}" for number in range(1, samples + 1)), ".spread.png"]


def _sample_each(task: PredictionTask, sources: Mapping[K, PredictionSource]) -> dict[K, SampledFiles]:
    written = predict_each(task, sources, partial(_write_samples, task))
    mean = float(np.mean([files.mean_spread for files in written.values()]))
    unit = "of samples have another class than most" if task.direction.predicts_classes else "of the range of values"
    count = "1 image" if len(written) == 1 else f"{len(written):,} images"
    _log.info("The mean spread is %.2f%% %s, over %s.", 100 * mean, unit, count)
    return written


def _write_samples(task: PredictionTask, targets: Sequence[Path], predict: Predict) -> SampledFiles:
    *paths, map_path = targets
    direction, first = task.direction, task.run.recipe.settings.inference.seed
    samples = [predict(first + number) for number in range(len(paths))]
    if direction.predicts_classes:
        spread = disagreement_of_classes(samples)
    else:
        side = direction.result_side
        spread = deviation_of_images(samples, value_range(samples[0].dtype.name, side.range, "the prediction"))
    for path, sample in zip(paths, samples, strict=True):
        write_prediction(path, sample, direction)
    write_image(map_path, spread_map(spread, of_classes=direction.predicts_classes))
    return SampledFiles(tuple(paths), map_path, float(spread.mean()))
