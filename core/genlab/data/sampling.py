"""Samples of images' pixels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def sample_pixels(array: NDArray[np.generic], most: int) -> NDArray[np.generic]:
    """Copy of evenly spaced pixels, with all of their bands.

    Args:
        array: an image (height, width, bands), or a label map (height, width), at least one pixel large.
        most: the most pixels to take.

    Returns:
        An array (pixels, bands), or (pixels,).
    """
    height, width = array.shape[:2]
    step = max(1, -(-height * width // most))
    # A step that shares a factor with the width would never meet some of the columns.
    while math.gcd(step, width) > 1:
        step += 1
    places = np.arange(0, height * width, step)
    return array[places // width, places % width]
