"""Image files of every kind: format, depth, bands, orientation and alpha, each with the array that was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 12, 20


class Written(NamedTuple):
    """A kind of image file: what writes it, and the array that it then holds, alpha as the last band if it has one."""

    name: str
    array: NDArray[np.generic]
    write: Callable[[Path], None]
    has_alpha: bool = False


def pattern(dtype: str, bands: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[Any]:
    """Values over the whole range of a type, other ones in each band; floats from -3 to 7."""
    rng = np.random.default_rng([bands, height, np.dtype(dtype).num])
    if np.dtype(dtype).kind == "f":
        return (10 * rng.random((height, width, bands)) - 3).astype(dtype)
    info = np.iinfo(dtype)
    array = rng.integers(info.min, info.max, (height, width, bands), dtype=dtype, endpoint=True)
    array[0, 0], array[0, 1] = info.min, info.max
    return array


def _squeezed(array: NDArray[Any]) -> NDArray[Any]:
    return array[..., 0] if array.shape[2] == 1 else array


def _by_pillow(extension: str, dtype: str, bands: int, **options: Any) -> Written:
    array = pattern(dtype, bands)
    alpha = bands in (2, 4)

    def write(path: Path) -> None:
        Image.fromarray(_squeezed(array)).save(path.with_suffix(extension), **options)

    named = "".join(f"-{value}" for value in options.values() if isinstance(value, str))
    return Written(f"pillow-{dtype}x{bands}{named}{extension}", array, write, alpha)


def _tiff(dtype: str, bands: int, alpha: bool = False, **options: Any) -> Written:
    array = pattern(dtype, bands)
    stored = array.transpose(2, 0, 1) if options.get("planarconfig") == "separate" else _squeezed(array)
    options.setdefault("photometric", "rgb" if bands - alpha == 3 or (bands == 4 and not alpha) else "minisblack")
    if options["photometric"] == "rgb" and bands > 3:
        options["extrasamples"] = ["unassalpha" if alpha else "unspecified"] * (bands - 3)
    elif bands > 1 and options["photometric"] == "minisblack":
        options["extrasamples"] = ["unspecified"] * (bands - 2) + ["unassalpha" if alpha else "unspecified"]

    def write(path: Path) -> None:
        shown = np.iinfo(dtype).max - stored if options["photometric"] == "miniswhite" else stored
        tifffile.imwrite(path.with_suffix(".tif"), shown, **options)

    named = "".join(
        f"-{value}"
        for key, value in options.items()
        if key not in ("extrasamples",) and value not in ("rgb", "minisblack")
    )
    return Written(f"tifffile-{dtype}x{bands}{'-alpha' if alpha else ''}{named}.tif", array, write, alpha)


def _png16(bands: int) -> Written:
    array = pattern("uint16", bands)

    def write(path: Path) -> None:
        path.with_suffix(".png").write_bytes(imagecodecs.png_encode(_squeezed(array)))

    return Written(f"png-uint16x{bands}.png", array, write, bands in (2, 4))


def _npy(dtype: str, bands: int) -> Written:
    array = pattern(dtype, bands)
    return Written(f"npy-{dtype}x{bands}.npy", array, lambda path: np.save(path.with_suffix(".npy"), _squeezed(array)))


def _turned(extension: str, orientation: int) -> Written:
    """As a camera stores it: the pixels as they lie on its sensor, and how to turn them."""
    array = pattern("uint8", 3)
    stored = Image.fromarray(array).transpose(_INVERSE[orientation]) if orientation > 1 else Image.fromarray(array)

    def write(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"tiffinfo": {274: orientation}} if extension == ".tif" else {"exif": exif}
        if extension == ".webp":
            options["lossless"] = True
        stored.save(path.with_suffix(extension), **options)

    return Written(f"turned-{orientation}{extension}", array, write)


# What undoes the turn that EXIF's number asks for.
_INVERSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def kinds() -> Iterator[Written]:
    for bands in (1, 2, 3, 4):
        yield _by_pillow(".png", "uint8", bands)
        yield _png16(bands)
    for bands in (3, 4):
        yield _by_pillow(".webp", "uint8", bands, lossless=True, exact=True)
    for bands in (1, 3):
        yield _by_pillow(".bmp", "uint8", bands)
        for compression in ("tiff_lzw", "tiff_deflate"):
            yield _by_pillow(".tif", "uint8", bands, compression=compression)
    for dtype in ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"):
        for bands in (1, 3):
            yield _tiff(dtype, bands)
        yield _npy(dtype, 1)
        yield _npy(dtype, 5)
    for dtype in ("uint8", "uint16", "float32"):
        for bands in (2, 4, 8):
            yield _tiff(dtype, bands)
    for dtype in ("uint8", "uint16"):
        yield _tiff(dtype, 4, alpha=True)
        yield _tiff(dtype, 2, alpha=True)
        yield _tiff(dtype, 1, photometric="miniswhite")
        yield _tiff(dtype, 3, planarconfig="separate")
        yield _tiff(dtype, 1, byteorder=">")
        yield _tiff(dtype, 3, byteorder=">")
        yield _tiff(dtype, 3, compression="lzw")
        yield _tiff(dtype, 1, compression="zlib", predictor=True)
    yield _tiff("float32", 1, byteorder=">")
    yield _tiff("int16", 1, byteorder=">")
    yield _tiff("uint8", 3, bigtiff=True)
    yield _tiff("uint16", 3, tile=(16, 16))
    for orientation in range(1, 9):
        for extension in (".png", ".tif", ".webp"):
            yield _turned(extension, orientation)
