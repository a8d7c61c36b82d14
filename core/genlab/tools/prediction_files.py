"""Image files to predict from, and the files of their predictions."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab.errors import DataError
from genlab.images.folder import ImageFolder, describe_left_out, find_images
from genlab.runs.output_files import refuse_overwrite
from genlab.tools.prediction_task import PredictionTask
from genlab.util.files import is_text, storage_errors

_NAMED = 5
"""Limit of the names in a message."""

_log = logging.getLogger("genlab")


class PredictionSource(NamedTuple):
    """An image to predict from.

    Args:
        where: its display name.
        read: reads it as the run's data have it.
        targets: the files for what is predicted.
    """

    where: str
    read: Callable[[], NDArray[np.generic]]
    targets: Sequence[Path]


def first_names(names: Iterable[object]) -> str:
    """The first few names, and how many more there are."""
    every = [str(name) for name in names]
    more = f" and {len(every) - _NAMED:,} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def file_sources(task: PredictionTask, images: Sequence[Path], endings: Sequence[str]) -> dict[Path, PredictionSource]:
    """The images of files and folders, each with a file for each ending; makes the folder for them.

    Raises:
        DataError: there is no image, or two predictions, or one and an image, would be one file.
        StorageError: a prediction's file is there already, or cannot be written.
    """
    targets = plan_predictions(images, task.out, endings, task.overwrite)
    make_folder(task.out)
    return {
        image: PredictionSource(str(image), partial(task.run.read, image, to=task.to), files)
        for image, files in targets.items()
    }


def plan_predictions(
    images: Sequence[Path], out: Path, endings: Sequence[str], overwrite: bool
) -> dict[Path, tuple[Path, ...]]:
    """The files of each image's predictions, one for each ending; a folder's images keep their places below it.

    Raises:
        DataError: there is no image, or two predictions, or one and an image, would be one file.
        StorageError: a prediction's file is there already, or its folder cannot be read.
    """
    targets: dict[Path, tuple[Path, ...]] = {}
    sources: dict[Path, Path] = {}
    for found in _all_sources(images, out):
        for source, inner in found:
            targets[source] = with_endings(out / inner.with_suffix(""), endings)
            for target in targets[source]:
                if (other := sources.setdefault(target, source)) != source:
                    raise DataError(
                        f"it would be written to the same file as {other}: {target}",
                        where=str(source),
                        hint="Choose an --out for each of the two, or rename one.",
                    )
    if not targets:
        raise DataError("no image was given", hint="Name a file or a folder, or several.")
    _refuse_images(sources)
    refuse_overwrite(out, sources, overwrite=overwrite)
    return targets


def with_endings(path: Path, endings: Sequence[str]) -> tuple[Path, ...]:
    """Files of one name that differ in what follows it."""
    return tuple(path.with_name(f"{path.name}{ending}") for ending in endings)


def make_folder(out: Path) -> None:
    """Make a folder for predictions; `StorageError` if it cannot be made."""
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)


def _all_sources(images: Sequence[Path], out: Path) -> list[list[tuple[Path, Path]]]:
    found: list[list[tuple[Path, Path]]] = []
    faults: list[DataError] = []
    for given in images:
        try:
            found.append(_sources(given, out))
        except DataError as error:
            faults.append(error)
    if faults:
        raise DataError.listing(faults, f"of {len(images):,} paths")
    return found


def _sources(given: Path, out: Path) -> list[tuple[Path, Path]]:
    """Images of a file or folder, each with its path relative to it."""
    if not is_text(str(given)):
        raise DataError("the file's name is not UTF-8", where=ascii(str(given)), hint="Rename it.")
    try:
        mode = given.stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        what = "there is no such file" if missing else f"the file cannot be read: {error.strerror}"
        raise DataError(what, where=str(given)) from error
    if stat.S_ISREG(mode):
        return [(given, Path(given.name))]
    if not stat.S_ISDIR(mode):
        raise DataError("this is neither a regular file nor a folder", where=str(given))
    found = find_images(given)
    earlier = _earlier_predictions(found, out)
    left_out = {**found.left_out, **({"below --out": list(earlier)} if earlier else {})}
    if left_out:
        _log.info("%s: left out %s.", given, describe_left_out(left_out))
    return [(given / file, file) for file in found.files if str(file) not in earlier]


def _earlier_predictions(found: ImageFolder, out: Path) -> dict[str, None]:
    """Images of a folder that lie below `out`, in order, where that is another folder within it."""
    folder, out = _real(found.folder), _real(out)
    if out == folder or not out.is_relative_to(folder):
        return {}
    return dict.fromkeys(str(file) for file in found.files if _real(folder / file).is_relative_to(out))


def _refuse_images(sources: Mapping[Path, Path]) -> None:
    """Refuse files of predictions, each with its image, that are images to predict from."""
    images = {_real(source) for source in sources.values()}
    for target, source in sources.items():
        if _real(target) in images:
            what = f"the prediction of {source} would take the place of this image"
            raise DataError(what, where=str(target), hint="Choose another --out.")


def _real(path: Path) -> Path:
    """Absolute path without links; unlike `Path.resolve`, of a loop of links too."""
    return Path(os.path.realpath(path))
