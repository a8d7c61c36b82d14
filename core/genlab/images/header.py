"""Header of an image file: its size and the type of its pixels, read before they are decoded."""

from __future__ import annotations

from typing import Literal, NamedTuple

from typing_extensions import override

Alpha = Literal["drop", "band"]

_KINDS = {"u": "unsigned integers", "i": "signed integers", "f": "floats"}


class PixelType(NamedTuple):
    """Bands and type of an image's pixels.

    Args:
        bands: how many, alpha not counted.
        dtype: NumPy's name of the values' type, such as `uint16`.
        has_alpha: whether the file has an alpha channel beside them.
    """

    bands: int
    dtype: str
    has_alpha: bool = False

    def seen(self, alpha: Alpha) -> PixelType:
        """The type of the array: alpha is dropped, or is one band more."""
        return PixelType(self.bands + (self.has_alpha and alpha == "band"), self.dtype)

    @override
    def __str__(self) -> str:
        kind, bits = self.dtype.rstrip("0123456789"), self.dtype.lstrip("abcdefghijklmnopqrstuvwxyz")
        values = f"{bits} bits" if kind == "uint" else f"{bits}-bit {_KINDS[kind[0]]}"
        bands = "one channel" if self.bands == 1 else f"{self.bands} channels"
        return f"{bands} of {values}" + (" and alpha" if self.has_alpha else "")


class ImageHeader(NamedTuple):
    """Header of an image: its size, turned as the file says, and the type of its pixels."""

    where: str
    height: int
    width: int
    pixels: PixelType

    @property
    def size(self) -> str:
        """Width and height in words."""
        return f"{self.width} x {self.height}"
