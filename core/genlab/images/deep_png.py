"""16-bit PNG in color or with alpha, read with imagecodecs, as Pillow reduces it to 8 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

from genlab.errors import DataError
from genlab.images.extras import require_tiff_extra
from genlab.images.header import ImageHeader, PixelType
from genlab.images.orientation import turned, turned_size
from genlab.images.pillow import exif_orientation
from genlab.images.source import ImageSource

_WHAT = "a PNG of 16 bits in color or with alpha"
# Bands by the color type of the header (PNG specification, section 11.2.1): RGB, gray and alpha, RGB and alpha.
_BANDS = {2: PixelType(3, "uint16"), 4: PixelType(1, "uint16", True), 6: PixelType(3, "uint16", True)}
_COLOR_TYPE = 25  # its offset in the file


def read_header(source: ImageSource) -> ImageHeader:
    """Size and pixels' type."""
    require_tiff_extra("imagecodecs", _WHAT, source.where)
    with PngImagePlugin.PngImageFile(source.opened()) as picture:
        height, width = turned_size(picture.height, picture.width, exif_orientation(picture))
    return ImageHeader(source.where, height, width, _pixels_of(source))


def _pixels_of(source: ImageSource) -> PixelType:
    return _BANDS[source.start(_COLOR_TYPE + 1)[_COLOR_TYPE]]


def read_pixels(source: ImageSource) -> NDArray[np.generic]:
    """The pixels (height, width, bands), alpha as the last band."""
    imagecodecs = require_tiff_extra("imagecodecs", _WHAT, source.where)
    with PngImagePlugin.PngImageFile(source.opened()) as picture:
        orientation = exif_orientation(picture)
    try:
        pixels = turned(imagecodecs.png_decode(source.read()), orientation)
    except Exception as error:
        raise DataError(f"the image cannot be read: {error}", where=source.where) from error
    found = _pixels_of(source)
    return pixels if found.has_alpha else pixels[..., : found.bands]  # a transparent color (tRNS) is one more band
