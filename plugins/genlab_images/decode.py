"""Encoded images to arrays: what a header says, and the pixels in the form that a whole side has."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base
from typing_extensions import override

from genlab import DataError
from genlab_images.source import ImageSource

# Pillow's modes, by the form that their arrays get: colors of any kind become red, green and blue.
_GREY = {"1", "L", "LA", "La"}
_COLOUR = {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}
_DEEP_GREY = {"I", "I;16", "I;16L", "I;16B", "I;16N"}
_SIDEWAYS = range(5, 9)


class ImageMode(NamedTuple):
    """Mode of an image's array: one channel of 8 or 16 bits, or three of 8."""

    channels: int
    bits: int

    @override
    def __str__(self) -> str:
        kind = "one channel" if self.channels == 1 else f"{self.channels} channels"
        return f"{kind} of {self.bits} bits"


class Header(NamedTuple):
    """Header of an image, read before its pixels are decoded: its size, turned as EXIF says, and its mode."""

    where: str
    width: int
    height: int
    form: ImageMode

    @property
    def size(self) -> str:
        """Width and height in words."""
        return f"{self.width} x {self.height}"


def read_header(source: ImageSource) -> Header:
    """Read an image's size and form, which is quick; `DataError` if it is none."""
    with _opened(source) as picture:
        width, height = picture.size
        # Not the picture's own `getexif`: a PNG's decodes the whole image in search of it.
        if Image.Image.getexif(picture).get(Base.Orientation) in _SIDEWAYS:
            width, height = height, width
        return Header(source.where, width, height, _form(picture, source))


def decode(source: ImageSource, form: ImageMode) -> NDArray[np.generic]:
    """Decode an image to an array (height, width, channels) of uint8 or uint16.

    Alpha is dropped, palettes become red, green and blue, the orientation that EXIF gives is applied, and gray becomes
    color where `form` asks for it. Of colors with 16 bits a channel Pillow reads the upper 8.

    Raises:
        DataError: it cannot be decoded, or has another form.
    """
    with _opened(source) as picture:
        if not _fits(found := _form(picture, source), form):
            raise DataError(f"the image has {found}, where {form} are expected", where=source.where)
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
        if form.bits == 16:
            return _deep_gray(picture, source)
        picture.info.pop("transparency", None)
        pixels = np.array(picture.convert("L" if form.channels == 1 else "RGB"))
        return pixels.reshape(*pixels.shape[:2], form.channels)


def common_form(headers: Sequence[Header]) -> ImageMode:
    """The form of the first image; the others must have it too, or be gray where it has colors.

    Args:
        headers: at least one.
    """
    first = headers[0]
    for header in headers:
        if not _fits(header.form, first.form):
            what = f"the image has {header.form}, where the first one, {first.where}, has {first.form}"
            hint = "All images of a side need the same form: convert one or the other."
            raise DataError(what, where=header.where, hint=hint)
    return first.form


def _fits(found: ImageMode, expected: ImageMode) -> bool:
    return found == expected or (found.bits == expected.bits == 8 and found.channels < expected.channels)


def _form(picture: Image.Image, source: ImageSource) -> ImageMode:
    if picture.mode in _GREY:
        return ImageMode(1, 8)
    if picture.mode in _COLOUR:
        return ImageMode(3, 8)
    if picture.mode in _DEEP_GREY:
        return ImageMode(1, 16)
    what = f"the image's pixels are of a kind that cannot be used (Pillow's mode {picture.mode})"
    raise DataError(what, where=source.where, hint="Save it with 8 bits a channel, or as gray with 8 or 16 bits.")


def _deep_gray(picture: Image.Image, source: ImageSource) -> NDArray[np.uint16]:
    values = np.array(picture)
    if values.min() < 0 or values.max() > 65535:
        what = f"the image holds values from {values.min()} to {values.max()}; 16 bits hold 0 to 65535"
        raise DataError(what, where=source.where, hint="Save it with 16 bits a pixel.")
    return values.astype(np.uint16)[..., np.newaxis]


@contextmanager
def _opened(source: ImageSource) -> Generator[Image.Image]:
    """An image of which only the header is read so far; whatever its decoder stumbles over becomes a `DataError`."""
    try:
        with Image.open(BytesIO(source.data) if isinstance(source.data, bytes) else source.data) as picture:
            yield picture
    except DataError:
        raise
    except Exception as error:
        what = f"the image cannot be read: {_reason(error, source)}"
        raise DataError(what, where=source.where, hint="Replace it, or take it out of the data.") from error


def _reason(error: Exception, source: ImageSource) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is of no format that Pillow knows" if source.read() else "it is empty"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
