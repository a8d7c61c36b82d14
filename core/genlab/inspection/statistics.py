"""Statistics of a side over many pairs, in memory that does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlab.data.sampling import sample_pixels
from genlab.data.sides import value_range
from genlab.inspection.neighbors import LEVELS, Neighbors, NeighborStatistics
from genlab.interfaces.dataset import ImageSide, LabelSide, Side

BINS = 24
PERCENTAGES = (0.1, 1.0, 50.0, 99.0, 99.9)

_SEVERAL = 3

_VALUES = 2**17
"""Approximate limit of the values that are kept of a side, evenly spaced over all pairs."""


@dataclass(frozen=True)
class ImageStatistics:
    """Values of images, of all bands together.

    Minimum and maximum are of all values, everything else is of a sample: evenly spaced pixels of every image.

    Args:
        dtype: NumPy's name of their type.
        bands: how many each image has.
        range: the values of black and of full intensity.
        minimum: the least value.
        maximum: the greatest value.
        percentiles: by percentage, the values below which so many of all values are.
        histogram: the share of values in each of 24 equal parts of the range; those beyond it count in the end parts.
        beyond: the share of values beyond the range.
        lone: the value of several pixels that lies farther from all others than these lie apart; None without one.
        levels: the distinct values of integers, ascending; None where they are more than 64.
        neighbors: of integers of one band, how neighboring pixels differ; None where distinct values are more than 64.
    """

    dtype: str
    bands: int
    range: tuple[float, float]
    minimum: float
    maximum: float
    percentiles: Mapping[float, float]
    histogram: tuple[float, ...]
    beyond: float
    lone: float | None
    levels: tuple[int, ...] | None
    neighbors: NeighborStatistics | None

    @property
    def bulk(self) -> tuple[float, float]:
        """Lowest and highest value without the outer 0.1% on each side, or of all values where these two are equal."""
        low, high = self.percentiles[PERCENTAGES[0]], self.percentiles[PERCENTAGES[-1]]
        return (low, high) if low < high else (self.minimum, self.maximum)


@dataclass(frozen=True)
class ClassStatistics:
    """Classes of label maps.

    Args:
        dtype: NumPy's name of their type.
        shares: of each class, by its index, the share of all pixels.
        ignored: the share of pixels of no class.
    """

    dtype: str
    shares: tuple[float, ...]
    ignored: float = 0.0


SideStatistics = ImageStatistics | ClassStatistics


class ImageCollector:
    """Collects the values of images.

    Args:
        side: what they are, with a range where their type says none.
        count: how many images there will be.
    """

    def __init__(self, side: ImageSide, count: int) -> None:
        self._side = side
        self._most = max(1, _VALUES // (count * side.channels))
        self._sample: list[NDArray[np.generic]] = []
        self._minimum, self._maximum = math.inf, -math.inf
        self._neighbors = Neighbors()

    def add(self, image: NDArray[np.generic]) -> None:
        """Add an image (height, width, bands)."""
        self._sample.append(sample_pixels(image, self._most))
        self._minimum = min(self._minimum, float(image.min()))
        self._maximum = max(self._maximum, float(image.max()))
        if image.shape[2] == 1 and image.dtype.kind in "ui":
            self._neighbors.add(image[..., 0])

    def statistics(self) -> ImageStatistics:
        """Statistics of the images so far, at least one."""
        dtype = self._sample[0].dtype
        low, high = value_range(dtype.name, self._side.range, "side")
        values = np.concatenate(self._sample).reshape(-1).astype(np.float64)
        percentiles = np.percentile(values, PERCENTAGES).tolist()
        counts, _ = np.histogram(values.clip(low, high), BINS, (low, high))
        distinct = np.unique(values)
        return ImageStatistics(
            dtype=dtype.name,
            bands=self._side.channels,
            range=(low, high),
            minimum=self._minimum,
            maximum=self._maximum,
            percentiles=dict(zip(PERCENTAGES, percentiles, strict=True)),
            histogram=tuple((counts / values.size).tolist()),
            beyond=float(((values < low) | (values > high)).mean()),
            lone=_lone_value(values, distinct),
            levels=tuple(map(int, distinct)) if dtype.kind in "ui" and distinct.size <= LEVELS else None,
            neighbors=self._neighbors.statistics(),
        )


def _lone_value(values: NDArray[np.float64], distinct: NDArray[np.float64]) -> float | None:
    if distinct.size <= LEVELS:
        return None
    for end, second, other in ((0, 1, -1), (-1, -2, 0)):
        gap, rest = abs(distinct[end] - distinct[second]), abs(distinct[second] - distinct[other])
        if gap > rest and np.count_nonzero(values == distinct[end]) >= _SEVERAL:
            return float(distinct[end])
    return None


class ClassCollector:
    """Counts the classes of label maps."""

    def __init__(self, side: LabelSide) -> None:
        self._counts = np.zeros(len(side.palette), np.int64)
        self._ignore = side.ignore
        self._ignored = 0
        self._dtype = ""

    def add(self, labels: NDArray[np.generic]) -> None:
        """Count the classes of a label map (height, width), each of which has a color in the palette."""
        classes = labels.reshape(-1) if self._ignore is None else labels[labels != self._ignore]
        self._counts += np.bincount(classes, minlength=self._counts.size)
        self._ignored += labels.size - classes.size
        self._dtype = labels.dtype.name

    def statistics(self) -> ClassStatistics:
        """Statistics of the label maps so far, at least one."""
        total = int(self._counts.sum()) + self._ignored
        return ClassStatistics(self._dtype, tuple((self._counts / total).tolist()), self._ignored / total)


def collector(side: Side, count: int) -> ImageCollector | ClassCollector:
    """A collector for a side of so many pairs."""
    return ImageCollector(side, count) if isinstance(side, ImageSide) else ClassCollector(side)
