"""Neighboring pixels of images that have few distinct values."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab.data.order import evenly_spaced

LEVELS = 64
"""Images with at most so many distinct values are looked at."""

_ROWS = 64


class NeighborStatistics(NamedTuple):
    """Horizontally neighboring pixels over many images.

    Args:
        levels: the distinct values, ascending.
        crossings: the share of differing neighbors that have another level between their values.
        areas: the share of pixels, those of the lowest and the highest level not counted, that equal the next pixel.
    """

    levels: tuple[int, ...]
    crossings: float
    areas: float


class Neighbors:
    """Counts neighbors in images of one band, until there are more than 64 distinct values."""

    def __init__(self) -> None:
        self._levels: set[int] = set()
        self._counts = Counter[tuple[int, int]]()

    def add(self, image: NDArray[np.generic]) -> None:
        """Look at up to 64 rows of an image (height, width) of integers."""
        if len(self._levels) > LEVELS:
            return
        rows = image[evenly_spaced(len(image), _ROWS)]
        levels, inverse = np.unique(rows, return_inverse=True)
        self._levels |= set(levels.tolist())
        if len(self._levels) > LEVELS:
            self._counts.clear()
            return
        places = inverse.reshape(rows.shape)
        codes = places[:, :-1] * len(levels) + places[:, 1:]
        for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
            left, right = divmod(int(code), len(levels))
            self._counts[int(levels[left]), int(levels[right])] += int(count)

    def statistics(self) -> NeighborStatistics | None:
        """Statistics of the images so far; None if there are more than 64 distinct values, or no images."""
        if not 0 < len(self._levels) <= LEVELS:
            return None
        levels = sorted(self._levels)
        place = {level: number for number, level in enumerate(levels)}
        differing = crossing = inner = equal = 0
        for (left, right), count in self._counts.items():
            differing += count * (left != right)
            crossing += count * (abs(place[left] - place[right]) > 1)
            if levels[0] < left < levels[-1]:
                inner += count
                equal += count * (left == right)
        return NeighborStatistics(tuple(levels), crossing / max(1, differing), equal / max(1, inner))
