"""Checks that images to predict are of the kind that a run was trained on. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlab.runs.manifest import SideRecord, StoredPairs

_FEW = 32
"""Gray images with at most so many values are taken for classes or a mask; gray photos have more."""

_TOLERANCE = 0.05
_COLORED = 1 / 8
_MOST_BEYOND = 1 / 4
_LEAST_USED = 1 / 8


def is_colored(image: NDArray[np.generic]) -> bool:
    """True if an array (height, width, channels) has three channels that differ by an eighth of its values' range."""
    if image.shape[2:] != (3,):
        return False
    values = image.astype(np.float64)
    return bool(np.ptp(values, axis=2).max() > np.ptp(values) * _COLORED)


def image_warnings(
    image: NDArray[np.generic],
    side: SideRecord,
    stored: StoredPairs | None,
    *,
    stretched: bool,
    of_target: bool = False,
) -> Sequence[str]:
    """Signs that an image is not of the kind that a run was trained on, as clauses for a warning.

    Args:
        image: (height, width, channels), or (height, width) of classes.
        side: the side that it is of, as the run was trained on it.
        stored: images of that side, if recorded.
        stretched: whether it is stretched to the one size that images of several sizes were stretched to.
        of_target: whether it is the target's side.
    """
    has_colors = side.classes is not None or (stored is not None and stored.colored)
    wanted = "target" if of_target else "condition"
    found = (
        _warning_of_shape(image.shape[0], image.shape[1], stored, stretched, wanted) if stored else None,
        _warning_of_values(image) if has_colors else None,
        _warning_of_range(image, side.range) if side.range and image.ndim == 3 else None,
        _warning_of_depth(image, side),
    )
    return [warning for warning in found if warning]


def _warning_of_shape(height: int, width: int, stored: StoredPairs, stretched: bool, wanted: str) -> str | None:
    aspect, (low, high) = width / height, stored.aspects
    is_usual = low * (1 - _TOLERANCE) <= aspect <= high * (1 + _TOLERANCE)
    may_be_pair = low * (1 - _TOLERANCE) <= aspect / 2 <= high * (1 + _TOLERANCE)
    if is_usual or not (may_be_pair or stretched):
        return None
    if stored.only:
        what = "it is twice as wide for its height as the images in training"
    else:
        what = f"its width is beyond what it is in training, {low:.2f} to {high:.2f} times the height"
    return f"{what}: does it hold a pair side by side? Then give the {wanted} alone" if may_be_pair else what


def _warning_of_values(image: NDArray[np.generic]) -> str | None:
    if image.ndim != 3 or image.dtype.kind not in "ui":
        return None
    if not (image == image[..., :1]).all() or len(np.unique(image[..., 0])) > _FEW:
        return None
    return (
        "it has few gray values, where images in training have colors: if these are classes or a mask, give it in the"
        " colors that training had"
    )


def _warning_of_range(image: NDArray[np.generic], bounds: tuple[float, float]) -> str | None:
    low, high = bounds
    values = image.astype(np.float64)
    if ((values < low) | (values > high)).mean() <= _MOST_BEYOND:
        return None
    return f"more than a quarter of its values are beyond the range of training, {low:g} to {high:g}"


def _warning_of_depth(image: NDArray[np.generic], side: SideRecord) -> str | None:
    """Warning of integers of another type than training's that use few of its bits."""
    if image.ndim != 3 or image.dtype.kind != "u" or image.dtype.name == side.dtype:
        return None
    whole, most = np.iinfo(image.dtype.name).max, int(image.max())
    if most > whole * _LEAST_USED:
        return None
    return f"its values are {most} at most, in a type of up to {whole}: it may have fewer bits than its type"
