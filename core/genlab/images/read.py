"""Reader of image files for training and prediction: exact values, or an error.

Pillow reads what it can read losslessly, NumPy reads `.npy` files, and the extra `genlab[tiff]` reads the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from genlab.errors import DataError
from genlab.images import deep_png, npy, pillow, tiff
from genlab.images.header import Alpha, ImageHeader, PixelType
from genlab.images.source import ImageSource

MAX_PIXELS = 2**28
"""Default limit of pixels per image: 16,384 x 16,384."""

IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".npy")
"""File name extensions of images."""

T = TypeVar("T")

_FORMATS = "PNG, JPEG, WebP, BMP, TIFF or NumPy's .npy"
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_START = 16
_MOST_THREADS = 8


def read_header(source: ImageSource, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read an image's size and its pixels' type, without decoding it.

    Args:
        source: the encoded image.
        max_pixels: the most that may be decoded.

    Raises:
        DataError: it cannot be read exactly, or is too large.
    """
    header = _by_reader(source, lambda reader: reader.read_header(source))
    if (count := header.height * header.width) > max_pixels:
        what = f"the image has {header.size} pixels, {count:,}; the limit is {max_pixels:,}"
        raise DataError(what, where=source.where, hint="Raise the limit with the dataset's setting max_pixels.")
    return header


def read_headers(sources: Sequence[ImageSource], max_pixels: int = MAX_PIXELS) -> list[ImageHeader]:
    """Read the headers of several images.

    Raises:
        DataError: some cannot be read exactly, or are too large; it lists all of them, and those whose pixels cannot be
            decoded.
    """
    found = [_header_or_error(source, max_pixels) for source in sources]
    headers = [outcome for outcome in found if not isinstance(outcome, DataError)]
    if len(headers) < len(sources):
        # The pixels are read as well, so that all of the images that have to be replaced are known at once.
        raise DataError.listing(list(_faults(sources, found, max_pixels)), f"of {len(sources):,} images")
    return headers


def _header_or_error(source: ImageSource, max_pixels: int) -> ImageHeader | DataError:
    try:
        return read_header(source, max_pixels)
    except DataError as error:
        return error


def _faults(
    sources: Sequence[ImageSource], headers: Iterable[ImageHeader | DataError], max_pixels: int
) -> Iterator[DataError]:
    def fault(source: ImageSource, header: ImageHeader | DataError) -> DataError | None:
        if isinstance(header, DataError):
            return header
        try:
            read_image(source, max_pixels=max_pixels)
        except DataError as error:
            return error
        return None

    with ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="genlab-read") as pool:
        yield from filter(None, pool.map(fault, sources, headers))


def read_image(
    source: ImageSource, pixels: PixelType | None = None, alpha: Alpha = "drop", max_pixels: int = MAX_PIXELS
) -> NDArray[np.generic]:
    """Read an image as an array (height, width, bands) of the values and the type that the file has.

    It is turned as its EXIF or TIFF orientation says; palettes become red, green and blue.

    Args:
        source: the encoded image.
        pixels: the expected type; gray is expanded to three equal bands where three are expected.
        alpha: whether an alpha channel is dropped or is the last band.
        max_pixels: the most that may be decoded.

    Raises:
        DataError: it cannot be read exactly, is too large, or has other pixels.
    """
    found = read_header(source, max_pixels).pixels
    if pixels and not _fits(found.seen(alpha), pixels):
        raise DataError(f"expected an image of {pixels}, got {found}", where=source.where)
    array = np.ascontiguousarray(_by_reader(source, lambda reader: reader.read_pixels(source)))
    if found.has_alpha and alpha == "drop":
        array = array[..., :-1]
    return np.repeat(array, 3, axis=2) if pixels and pixels.bands > array.shape[2] else array


def common_type(headers: Sequence[ImageHeader], alpha: Alpha = "drop") -> PixelType:
    """Pixel type of the first image; the others must have it too, or be gray where it has colors.

    Args:
        headers: at least one.
        alpha: whether an alpha channel is dropped or is the last band.

    Raises:
        DataError: one has another type.
    """
    first = headers[0]
    expected = first.pixels.seen(alpha)
    for header in headers:
        if not _fits(header.pixels.seen(alpha), expected):
            what = f"the image has {header.pixels}, where the first one, {first.where}, has {first.pixels}"
            hint = "All images of a side need the same type: convert one or the other."
            raise DataError(what, where=header.where, hint=hint)
    return expected


def _fits(found: PixelType, expected: PixelType) -> bool:
    """True if pixels are of the expected type, or gray of its depth where colors are expected."""
    return found.dtype == expected.dtype and (found.bands == expected.bands or (found.bands, expected.bands) == (1, 3))


class _Reader(Protocol):
    """A module that reads one kind of files."""

    def read_header(self, source: ImageSource) -> ImageHeader: ...

    def read_pixels(self, source: ImageSource) -> NDArray[np.generic]: ...


def _by_reader(source: ImageSource, read: Callable[[_Reader], T]) -> T:
    """Read by the first reader that gives the file's own values; `DataError` if there is none."""
    start = source.start(_START)
    if start.startswith(npy.MAGIC):
        return read(npy)
    _require_known(start, source)
    try:
        return read(pillow)
    except pillow.InexactError:
        return read(tiff if start.startswith(_TIFF) else deep_png)


def _require_known(start: bytes, source: ImageSource) -> None:
    if not start:
        raise DataError("the image cannot be read: it is empty", where=source.where, hint="Remove it from the data.")
    if not pillow.knows(start):
        what = f"the image cannot be read: unknown format; expected {_FORMATS}"
        raise DataError(what, where=source.where, hint="Convert it, or remove it from the data.")
