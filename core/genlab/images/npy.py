"""Images in NumPy's own format."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab.errors import DataError
from genlab.images.header import ImageHeader, PixelType
from genlab.images.source import ImageSource

_FEW = 16

MAGIC = b"\x93NUMPY"


def read_header(source: ImageSource) -> ImageHeader:
    """Shape and type of an array (height, width) or (height, width, bands)."""
    array = _array(source)
    height, width, bands = array.shape
    return ImageHeader(source.where, height, width, PixelType(bands, array.dtype.name))


def read_pixels(source: ImageSource) -> NDArray[np.generic]:
    """The array (height, width, bands)."""
    array = _array(source)
    return array.astype(array.dtype.newbyteorder("="))


def _array(source: ImageSource) -> NDArray[np.generic]:
    mapping = None if isinstance(source.data, bytes) else "r"
    try:
        array = np.load(source.opened(), mmap_mode=mapping, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"the array cannot be read: {error}", where=source.where) from error
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise DataError(f"expected shape (height, width[, bands]), got {array.shape}", where=source.where)
    if array.ndim == 3 and array.shape[0] <= _FEW < min(array.shape[1:]):
        what = f"expected shape (height, width[, bands]), got {array.shape}, whose bands seem to come first"
        raise DataError(what, where=source.where, hint="Save np.moveaxis(array, 0, -1).")
    if array.dtype.kind not in "uif" or array.dtype.itemsize > (8 if array.dtype.kind == "f" else 4):
        raise DataError(f"expected integers of up to 32 bits, or floats, got {array.dtype}", where=source.where)
    return array.reshape(*array.shape[:2], -1)
