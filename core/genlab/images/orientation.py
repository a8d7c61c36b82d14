"""Image orientation by EXIF and TIFF numbers (EXIF 2.32, section 4.6.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SIDEWAYS = range(5, 9)


def turned_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Height and width of an image that is stored in an orientation."""
    return (width, height) if orientation in _SIDEWAYS else (height, width)


def turned(image: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Rotate and flip an image (height, width, bands) upright; unknown numbers change nothing."""
    if orientation in _SIDEWAYS:
        image = image.swapaxes(0, 1)
    upside_down = orientation in (3, 4, 7, 8)
    mirrored = orientation in (2, 3, 6, 7)
    return image[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
