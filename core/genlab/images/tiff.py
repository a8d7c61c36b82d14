"""TIFF files that Pillow cannot read losslessly, read with tifffile: more bands, more bits, other layouts."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlab.errors import DataError
from genlab.images.extras import require_tiff_extra
from genlab.images.header import ImageHeader, PixelType
from genlab.images.orientation import turned, turned_size
from genlab.images.source import ImageSource

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_ALPHA = (1, 2)
_ORIENTATION = 274
_WHAT = "this kind of TIFF"


def read_header(source: ImageSource) -> ImageHeader:
    """Size and pixels' type of a file's only page."""
    with _page(source) as page:
        height, width = turned_size(page.imagelength, page.imagewidth, _orientation(page))
        has_alpha = _has_alpha(page)
        return ImageHeader(
            source.where, height, width, PixelType(page.samplesperpixel - has_alpha, page.dtype.name, has_alpha)
        )


def read_pixels(source: ImageSource) -> NDArray[np.generic]:
    """The pixels (height, width, bands), alpha as the last band."""
    with _page(source) as page:
        array = page.asarray().reshape(page.shape)
        if array.ndim == 3 and page.planarconfig == 2:  # one plane after the other
            array = array.transpose(1, 2, 0)
        array = array.reshape(*array.shape[:2], -1)
        if page.photometric == _WHITE_IS_ZERO:
            array = np.iinfo(array.dtype).max - array
        return turned(array, _orientation(page))


@contextmanager
def _page(source: ImageSource) -> Generator[Any]:
    """Open the file's only page; errors of tifffile and unsupported layouts become `DataError`s."""
    tifffile = require_tiff_extra("tifffile", _WHAT, source.where)
    require_tiff_extra("imagecodecs", _WHAT, source.where)
    try:
        with tifffile.TiffFile(source.opened()) as file:
            pages = [page for page in file.pages if not page.is_reduced]
            if len(pages) != 1:
                raise DataError(f"the file has {len(pages)} pages", where=source.where, hint="Save each as a file.")
            _check(pages[0], source)
            yield pages[0]
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"the image cannot be read: {error}", where=source.where) from error


def _check(page: Any, source: ImageSource) -> None:
    what = None
    if page.dtype is None or page.dtype.kind not in "uif" or page.dtype.itemsize > 4 + 4 * (page.dtype.kind == "f"):
        what = f"expected integers of up to 32 bits, or floats, got {page.dtype}"
    elif page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        what = f"expected colors in gray or RGB, got {getattr(page.photometric, 'name', page.photometric)}"
    elif page.photometric == _WHITE_IS_ZERO and page.dtype.kind != "u":
        what = f"its values are {page.dtype} with white as zero"
    elif any(int(extra) in _ALPHA for extra in page.extrasamples[:-1]):
        what = "its alpha is not the last of its bands"
    elif page.imagedepth != 1:
        what = "it is a volume"
    if what:
        raise DataError(f"the image cannot be used: {what}", where=source.where)


def _has_alpha(page: Any) -> bool:
    return any(int(extra) in _ALPHA for extra in page.extrasamples[-1:])


def _orientation(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION)
    return 1 if tag is None else int(tag.value)
