"""Images that Pillow reads losslessly, and detection of those that it does not.

Only the decoders named here are used: those of Pillow's others, such as EPS, start other programs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.ExifTags import Base

from genlab.errors import DataError
from genlab.images.header import ImageHeader, PixelType
from genlab.images.orientation import turned, turned_size
from genlab.images.source import ImageSource

# What Pillow logs of files that it cannot read is told by errors, or read by others.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# By what their files begin with.
_DECODERS: dict[bytes, Callable[[Any], Image.Image]] = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.jpeg_factory,
    b"RIFF": WebPImagePlugin.WebPImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"II*\x00": TiffImagePlugin.TiffImageFile,
    b"MM\x00*": TiffImagePlugin.TiffImageFile,
    b"II+\x00": TiffImagePlugin.TiffImageFile,
    b"MM\x00+": TiffImagePlugin.TiffImageFile,
}

_TYPES = {
    "1": PixelType(1, "uint8"),
    "L": PixelType(1, "uint8"),
    "LA": PixelType(1, "uint8", has_alpha=True),
    "P": PixelType(3, "uint8"),
    "PA": PixelType(3, "uint8", has_alpha=True),
    "RGB": PixelType(3, "uint8"),
    "RGBA": PixelType(3, "uint8", has_alpha=True),
    "I;16": PixelType(1, "uint16"),
    "I;16B": PixelType(1, "uint16"),
    "I": PixelType(1, "int32"),
    "F": PixelType(1, "float32"),
}
_DEEP = {"I;16", "I;16B", "I", "F"}
_INT16 = {"I;16S", "I;16BS"}
_SIGNED = {*_INT16, "I;32S", "I;32BS"}
_EXACT_IN_TIFF = {
    *("1", "1;I", "1;R", "1;IR", "L", "L;I", "L;R", "L;2", "L;2I", "L;2R", "L;2IR", "L;4", "L;4I", "L;4R", "L;4IR"),
    *("I;16", "I;16B", "I;16L", "I;16N", "I;32S", "I;32BS", "F;32F", "F;32BF", "RGB", "RGB;R", "RGBA", "LA"),
    *("P", "P;R", "P;1", "P;1R", "P;2", "P;2R", "P;4", "P;4R", *_INT16),
}
_INVERTED_IN_TIFF = {"1;I", "1;IR", "L;I", "L;2I", "L;2IR", "L;4I", "L;4IR"}
_REDUCED = 1  # the bit of TIFF's NewSubfileType for a thumbnail
_SUBFILE_TYPE, _PHOTOMETRIC, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 254, 262, 338, 339
_UNASSOCIATED_ALPHA = 2


class InexactError(Exception):
    """Pillow would change the file's values, or cannot read them."""


def knows(start: bytes) -> bool:
    """True if one of the decoders accepts a file with this beginning."""
    return _decoder(start) is not None


def read_header(source: ImageSource) -> ImageHeader:
    """Size and pixels' type; `InexactError` if Pillow would not give the file's values."""
    with _opened(source) as picture:
        height, width = picture.size[::-1]
        if not isinstance(picture, TiffImagePlugin.TiffImageFile):  # which swaps them itself
            height, width = turned_size(height, width, exif_orientation(picture))
        return ImageHeader(source.where, height, width, _pixel_type(picture, source))


def read_pixels(source: ImageSource) -> NDArray[np.generic]:
    """The pixels (height, width, bands), alpha as the last band; `InexactError` as above."""
    with _opened(source) as picture:
        pixels, orientation = _pixel_type(picture, source), exif_orientation(picture)
        is_tiff = isinstance(picture, TiffImagePlugin.TiffImageFile)
        picture.load()  # which turns a TIFF
        bands = pixels.bands + pixels.has_alpha
        mode = picture.mode if picture.mode in _DEEP else ("L", "LA", "RGB", "RGBA")[bands - 1]
        array = np.array(picture if picture.mode == mode else picture.convert(mode))
        array = array.astype(pixels.dtype).reshape(*array.shape[:2], bands)
        return array if is_tiff else turned(array, orientation)


def _decoder(start: bytes) -> Callable[[Any], Image.Image] | None:
    return next((decoder for magic, decoder in _DECODERS.items() if start.startswith(magic)), None)


@contextmanager
def _opened(source: ImageSource) -> Generator[Image.Image]:
    """Open an image and read its header; errors of its decoder become `DataError`s."""
    decoder = _decoder(source.start(16))
    assert decoder is not None
    try:
        with decoder(source.opened()) as picture:
            yield picture
    except (DataError, InexactError):
        raise
    except Exception as error:
        if decoder is TiffImagePlugin.TiffImageFile and isinstance(error, SyntaxError):  # of a kind that it lacks
            raise InexactError from error
        what = f"the image cannot be read: {_reason(error)}"
        raise DataError(what, where=source.where, hint="Replace it, or remove it from the data.") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _pixel_type(picture: Image.Image, source: ImageSource) -> PixelType:
    rawmode = _rawmode(picture)
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        return _tiff_type(picture, rawmode, source)
    if ";16B" in rawmode and picture.mode not in ("I;16", "I"):
        raise InexactError
    if not isinstance(picture, JpegImagePlugin.JpegImageFile) and (count := getattr(picture, "n_frames", 1)) > 1:
        raise DataError(f"the file has {count} frames", where=source.where, hint="Save each as a file.")
    if picture.mode == "I" and rawmode == "I;16B":
        return PixelType(1, "uint16")
    if picture.mode not in _TYPES:
        what = f"expected colors in gray or RGB, got {picture.mode}"
        raise DataError(what, where=source.where, hint="Convert it to RGB.")
    if "transparency" in picture.info and picture.mode in ("1", "L", "P", "RGB"):
        return _TYPES[picture.mode]._replace(has_alpha=True)
    return _TYPES[picture.mode]


def _tiff_type(picture: TiffImagePlugin.TiffImageFile, rawmode: str, source: ImageSource) -> PixelType:
    tags = picture.tag_v2
    is_inverted = tags.get(_PHOTOMETRIC) == 0
    is_signed = 2 in tags.get(_SAMPLE_FORMAT, ()) and rawmode not in _SIGNED
    if rawmode not in _EXACT_IN_TIFF or is_signed or is_inverted != (rawmode in _INVERTED_IN_TIFF):
        raise InexactError
    if (count := _full_pages(picture)) != 1:
        raise DataError(f"the file has {count} pages", where=source.where, hint="Save each as a file.")
    if rawmode in _INT16:
        return PixelType(1, "int16")
    extra = tags.get(_EXTRA_SAMPLES, ())
    if picture.mode == "RGBA" and extra != (_UNASSOCIATED_ALPHA,):
        if extra:
            raise InexactError
        return PixelType(4, "uint8")
    return _TYPES[picture.mode]


def _full_pages(picture: TiffImagePlugin.TiffImageFile) -> int:
    """Number of a file's pages, without thumbnails."""
    full: list[int] = []
    for page in range(picture.n_frames):
        picture.seek(page)
        full += [] if picture.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED else [page]
    picture.seek(0)
    if full and full[0] != 0:  # the first page is a thumbnail
        raise InexactError
    return len(full)


def _rawmode(picture: Image.Image) -> str:
    """Pillow's name of the file's sample layout."""
    tile = getattr(picture, "tile", [])
    arguments = tile[0][3] if tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def exif_orientation(picture: Image.Image) -> int:
    """Orientation number of a picture; 1 by default."""
    # Not `getexif` of the picture, which decodes the whole image of a PNG.
    return int(Image.Image.getexif(picture).get(Base.Orientation) or 1)
