"""Predictions for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from genlab.errors import DataError
from genlab.images.read import IMAGE_EXTENSIONS
from genlab.images.write import image_suffix, write_image
from genlab.runs.run import Run
from genlab.util.files import storage_errors


def predict_files(run: Run, images: Sequence[Path], out: Path) -> Iterator[Path]:
    """Predict each image, and write the result below `out` under the image's name; yields what was written.

    Files are read as the run's training read them, and predictions have the depth and the range of its targets.

    Raises:
        DataError: a file is not an image, two would be written to one file, or one would be overwritten.
    """
    targets = _targets(images, out, _suffix(run))
    for source, target in targets.items():
        prediction = run.predict(run.read(source), str(source))
        with storage_errors(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
        write_image(target, prediction, run.classes)
        yield target


def _suffix(run: Run) -> str:
    """Ending of the names of files that hold the run's predictions."""
    if run.classes is not None:
        return ".png"
    return image_suffix(np.empty((1, 1, run.target.channels), "uint8" if run.target.classes else run.target.dtype))


def _targets(images: Sequence[Path], out: Path, suffix: str) -> dict[Path, Path]:
    """Each source and where its prediction goes; a folder's images keep their places below it."""
    targets: dict[Path, Path] = {}
    for given in images:
        for source in _files(given):
            inner = source.relative_to(given) if given.is_dir() else Path(source.name)
            target = out / inner.with_suffix(suffix)
            if target in targets.values():
                other = next(known for known, there in targets.items() if there == target)
                raise DataError(f"it would be written to the same file as {other}: {target}", where=str(source))
            targets[source] = target
    sources = {source.resolve(): source for source in targets}
    for target in targets.values():
        if source := sources.get(target.resolve()):
            what = "a prediction would take the place of this image"
            raise DataError(what, where=str(source), hint="Choose another --out.")
    return targets


def _files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = sorted(path for path in given.rglob("*") if path.suffix.lower() in IMAGE_EXTENSIONS and path.is_file())
    if not found:
        raise DataError("there are no images in this folder", where=str(given))
    return found
