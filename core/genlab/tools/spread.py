"""Spread of several predictions of one image, pixel by pixel, and maps of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from numpy.typing import NDArray

_WHITE = 0.25
"""Deviation that is white in a map: dropout's are a few hundredths, and would all be black on the whole range."""


def deviation_of_images(
    samples: Sequence[Shaped[np.ndarray, "h w c"]], bounds: tuple[float, float]
) -> Float64[np.ndarray, "h w"]:
    """Standard deviation over samples (of n - 1), mean over channels, as a share of the range of values.

    Args:
        samples: at least two images.
        bounds: their values of black and of full intensity.
    """
    low, high = bounds
    mean = sum(sample.astype(np.float64) for sample in samples) / len(samples)
    squares = sum((sample - mean) ** 2 for sample in samples)
    deviation: NDArray[np.float64] = np.sqrt(squares / (len(samples) - 1)).mean(axis=2)
    return deviation / (high - low)


def disagreement_of_classes(samples: Sequence[Shaped[np.ndarray, "h w"]]) -> Float64[np.ndarray, "h w"]:
    """Share of samples that do not have the most frequent class of a pixel.

    Args:
        samples: label maps.
    """
    stack = np.stack(samples)
    most = np.zeros(stack.shape[1:], np.int64)
    for found in np.unique(stack):
        np.maximum(most, (stack == found).sum(axis=0), out=most)
    return 1 - most / len(samples)


def spread_map(spread: Float64[np.ndarray, "h w"], *, of_classes: bool) -> UInt8[np.ndarray, "h w 1"]:
    """Draw a spread in gray, from black for none, on the same scale for all images.

    White is a standard deviation of a quarter of the range of values, or more; of classes, a share of 1.
    """
    white = 1.0 if of_classes else _WHITE
    return (spread / white * 255).round().clip(0, 255).astype(np.uint8)[..., None]
