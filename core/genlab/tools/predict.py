"""Predictions for files, and for the pairs of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from genlab.engine.tiles import Tiles
from genlab.errors import ArgumentError
from genlab.interfaces.dataset import SideName
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.direction import Direction
from genlab.runs.opening import open_run
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.run import Run
from genlab.tools.prediction_files import file_sources
from genlab.tools.prediction_loop import Predict, predict_each, prediction_suffix, write_prediction
from genlab.tools.prediction_pairs import PredictedSplit, pair_sources
from genlab.tools.prediction_task import PredictionTask
from genlab.tools.tiling import choose_tiles
from genlab.util.arguments import as_path, checked_arguments


@checked_arguments
def predict_files(
    run: str | Path,
    images: Iterable[str | Path],
    out: str | Path,
    *,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    size: PredictionSize = "training",
    to: SideName | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    force: bool = False,
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
        tile: height and width in pixels of tiles to predict large images in, as `choose_tiles` has them; by default
            they are predicted whole.
        overlap: how many pixels neighboring tiles have in common; a quarter of a tile by default.
        force: whether to warn of differences of tiles from whole images, and go on.
        overwrite: whether files that are there already may be replaced; an image among `images` never is.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Returns:
        The file of each image's prediction, by the image's own.

    Raises:
        ArgumentError: there are settings for tiles without their size.
        PredictionError: some images could not be predicted; it has the files that were written and the failures.
        DataError: an image is not there, or two predictions, or one and an image, would be one file.
        StorageError: files are there already, or cannot be written.
        RunError: not a run, it has no such checkpoint or no way back, it has code that is not trusted, or it cannot
            predict in such tiles.
        DeviceError: the device asked for is not there.
    """
    given = [as_path(image) for image in images]
    opened = open_run(run, checkpoint=checkpoint, device=device, trust=trust)
    task = PredictionTask(opened, as_path(out), size, to, overwrite, on_progress)
    tiles = _tiles(opened, tile, overlap, to, force=force)
    sources = file_sources(task, given, [prediction_suffix(task.direction)])
    return predict_each(task, sources, partial(_write_one, task.direction), tiles)


@checked_arguments
def predict_pairs(
    run: str | Path,
    out: str | Path,
    *,
    split: PredictedSplit = "validation",
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    size: PredictionSize = "training",
    to: SideName | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    force: bool = False,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Path]:
    """Predict from the pairs of a run's own data, and write the predictions: for data that are no files.

    Pairs are read as `predict_files` reads their files, and so are predicted whole. A prediction has the name of its
    pair's key, with folders where it has slashes. Where characters of a key do not fit into names of files on every
    system, each is an underscore, and digits of the key's hash follow.

    Args:
        run: the run's folder, whose data is where it was in training.
        out: the folder for the predictions.
        split: whose pairs.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        size: as in `predict_files`.
        to: the side to predict, `a` or `b`; the target by default. The way back takes the targets.
        tile: height and width in pixels of tiles to predict large images in, as `choose_tiles` has them; by default
            they are predicted whole.
        overlap: how many pixels neighboring tiles have in common; a quarter of a tile by default.
        force: whether to warn of differences of tiles from whole images, and go on.
        overwrite: whether files that are there already may be replaced.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Returns:
        The file of each pair's prediction, by the pair's key.

    Raises:
        ArgumentError: there is no such split, or there are settings for tiles without their size.
        PredictionError: some pairs could not be predicted; it has the files that were written and the failures.
        DataError: the data is not there or has changed, or two predictions would be one file.
        StorageError: files are there already, or cannot be written.
        RunError: not a run, it has no such checkpoint or no way back, it has code that is not trusted, or it cannot
            predict in such tiles.
        DeviceError: the device asked for is not there.
    """
    opened = open_run(run, checkpoint=checkpoint, device=device, trust=trust)
    task = PredictionTask(opened, as_path(out), size, to, overwrite, on_progress)
    tiles = _tiles(opened, tile, overlap, to, force=force)
    sources = pair_sources(task, split, [prediction_suffix(task.direction)])
    return predict_each(task, sources, partial(_write_one, task.direction), tiles)


def _tiles(run: Run, tile: int | None, overlap: int | None, to: SideName | None, *, force: bool) -> Tiles | None:
    if tile is not None:
        return choose_tiles(run, tile, overlap, to=to, force=force)
    if overlap is not None or force:
        raise ArgumentError("overlap and force go with tile")
    return None


def _write_one(direction: Direction, targets: Sequence[Path], predict: Predict) -> Path:
    (path,) = targets
    write_prediction(path, predict(None), direction)
    return path
