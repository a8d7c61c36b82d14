"""Lossless writing of arrays to image files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlab.util.files import atomic_write


def image_suffix(array: NDArray[np.generic]) -> str:
    """File name extension for a lossless copy of an array (height, width[, bands]).

    PNG for gray of 8 or 16 bits and for RGB of 8; otherwise TIFF with the extra `genlab[tiff]`, and `.npy` without it.
    """
    bands = array.shape[2] if array.ndim == 3 else 1
    if (array.dtype.name, bands) in {("uint8", 1), ("uint16", 1), ("uint8", 3)}:
        return ".png"
    return ".tif" if find_spec("tifffile") else ".npy"


def write_image(path: Path, array: NDArray[np.generic], palette: Sequence[tuple[int, int, int]] | None = None) -> None:
    """Write an array to a file, whose suffix is that of `image_suffix`; the write is atomic.

    Args:
        path: the file.
        array: (height, width, bands), or (height, width) of classes.
        palette: the classes' colors, which a PNG of 8 bits has room for.
    """
    flat = array[..., 0] if array.shape[2:] == (1,) else array
    with atomic_write(path) as aside:
        if path.suffix == ".png":
            _write_png(aside, flat, palette)
        elif path.suffix == ".tif":
            _write_tiff(aside, flat)
        else:
            with aside.open("wb") as file:
                np.save(file, flat)


def _write_png(path: Path, array: NDArray[np.generic], palette: Sequence[tuple[int, int, int]] | None) -> None:
    picture = Image.fromarray(array)
    if palette is not None and picture.mode == "L":
        picture.putpalette([value for color in palette for value in color])
    picture.save(path, format="PNG")


def _write_tiff(path: Path, array: NDArray[np.generic]) -> None:
    import tifffile

    bands = array.shape[2] if array.ndim == 3 else 1
    photometric = "rgb" if bands in (3, 4) else "minisblack"
    extra = bands - 3 if photometric == "rgb" else bands - 1
    # Otherwise readers would take further bands for alpha.
    tifffile.imwrite(path, array, photometric=photometric, extrasamples=["unspecified"] * extra or None)
