"""Predictions for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from genlab.errors import DataError
from genlab.interfaces.dataset import Palette
from genlab.runs.run import Run
from genlab.util.files import atomic_write, storage_errors

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def predict_files(run: Run, images: Sequence[Path], out: Path) -> Iterator[Path]:
    """Predict each image, and write the result below `out` as PNG under the image's name; yields what was written.

    Raises:
        DataError: a file is no image, two would be written to one file, or one would be written over.
    """
    targets = _targets(images, out)
    for source, target in targets.items():
        prediction = run.predict(read_image(source, run.manifest.channels[0]))
        with storage_errors(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as aside:
            _picture(prediction, run.classes).save(aside, format="PNG")
        yield target


def _picture(prediction: NDArray[np.unsignedinteger], classes: Palette | None) -> Image.Image:
    """An image as it is; a label map with its classes' indices as pixels and, where PNG has room, their colors."""
    picture = Image.fromarray(prediction.squeeze(axis=2) if prediction.shape[2:] == (1,) else prediction)
    if classes is not None and picture.mode == "L":
        picture.putpalette([value for color in classes for value in color])
    return picture


def read_image(path: Path, channels: int) -> NDArray[np.generic]:
    """An image file as (height, width, channels), turned as its EXIF tag says."""
    if channels not in _MODES:
        raise DataError(f"an image file cannot give the {channels} channels that the generator takes", where=str(path))
    try:
        with Image.open(path) as image:
            image.load()
            turned = ImageOps.exif_transpose(image)
            if image.mode.startswith("I;16") and channels == 1:
                return np.asarray(turned).astype(np.uint16)[:, :, None]
            array = np.asarray(turned.convert(_MODES[channels]))
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=str(path)) from error
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"is no image that can be read: {error}", where=str(path)) from error
    return array if array.ndim == 3 else array[:, :, None]


def _targets(images: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Each source and where its prediction goes; a folder's images keep their places below it."""
    targets: dict[Path, Path] = {}
    for given in images:
        for source in _files(given):
            inner = source.relative_to(given) if given.is_dir() else Path(source.name)
            target = out / inner.with_suffix(".png")
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
    suffixes = Image.registered_extensions()
    found = sorted(path for path in given.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if not found:
        raise DataError("there are no images in this folder", where=str(given))
    return found
