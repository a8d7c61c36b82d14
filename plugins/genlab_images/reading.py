"""Reading of encoded images, and what they declare of a side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab import Alpha, ImageHeader, ImageSide, ImageSource, PixelType, common_type, read_headers, read_image


class Reading(NamedTuple):
    """Settings of datasets that decode images.

    Args:
        alpha: whether an alpha channel is dropped or is the last band.
        max_pixels: the most pixels of an image.
    """

    alpha: Alpha
    max_pixels: int

    def headers(self, sources: Sequence[ImageSource]) -> list[ImageHeader]:
        """Read images' headers; `DataError` lists those that are none or too large."""
        return read_headers(sources, self.max_pixels)

    def image(self, source: ImageSource, pixels: PixelType) -> NDArray[np.generic]:
        """Read an image of a side; `DataError` if its pixels are of another type."""
        return read_image(source, pixels, self.alpha, self.max_pixels)

    def file(self, path: Path) -> NDArray[np.generic]:
        """Read an image of any type from a file."""
        return read_image(ImageSource.of(path), None, self.alpha, self.max_pixels)

    def pixels(self, headers: Sequence[ImageHeader]) -> PixelType:
        """The type that the pixels of all images of a side have; `DataError` if they have several."""
        return common_type(headers, self.alpha)

    def note(self, headers: Sequence[ImageHeader]) -> str:
        """Note for people on alpha channels that are dropped."""
        count = sum(header.pixels.has_alpha for header in headers) if self.alpha == "drop" else 0
        return f"; alpha dropped in {count} of {len(headers)} images" if count else ""


def side_of(pixels: PixelType) -> ImageSide:
    """Declaration of a side whose images have such pixels."""
    return ImageSide(channels=pixels.bands, dtype=pixels.dtype)
