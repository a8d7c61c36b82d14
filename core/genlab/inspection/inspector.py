"""Inspection of pairs: statistics of both sides, and suspicions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab.config.schema import Input
from genlab.data.check import Selection
from genlab.data.order import evenly_spaced
from genlab.data.prepared import ranged_side
from genlab.inspection.seam import Seam
from genlab.inspection.statistics import ClassCollector, ClassStatistics, ImageCollector, SideStatistics, collector
from genlab.inspection.suspicion import (
    Suspicion,
    class_indices,
    constant_class,
    constant_values,
    halves_of_photos,
    lone_value,
    unused_range,
    values_beyond_range,
)
from genlab.interfaces.dataset import ImageSide, Pair, Pairs, SideName, require_pair

_PAIRS = (4, 32)
"""The fewest and the most pairs in which `find_suspicions` looks."""

_VALUES = 2**25
"""Approximate limit of the values of these pairs, unless the fewest have more."""

_SEAMS = 32
"""The most pairs whose seam is compared, evenly spaced."""


class Inspection(NamedTuple):
    """Statistics of both sides of some pairs, and suspicions about them."""

    statistics: Mapping[SideName, SideStatistics]
    suspicions: Sequence[Suspicion]


class PairInspector:
    """Collects statistics of pairs, one pair at a time.

    Args:
        pairs: the split that they are of.
        settings: the recipe's `[input]`, with its ranges measured.
        count: how many pairs, or images of a side, there will be.
    """

    def __init__(self, pairs: Pairs, settings: Input, count: int) -> None:
        self._sides: dict[SideName, ImageCollector | ClassCollector] = {
            "a": collector(ranged_side(pairs.a, settings.range_a, "a"), count),
            "b": collector(ranged_side(pairs.b, settings.range_b, "b"), count),
        }
        self._seam = Seam()
        self._may_be_halves = pairs.is_paired and isinstance(pairs.a, ImageSide) and isinstance(pairs.b, ImageSide)
        self._seams_every = -(-count // _SEAMS)
        self._added = 0

    def add(self, pair: Pair) -> None:
        """Add a pair that is as its dataset declares."""
        self.add_image("a", pair.a)
        self.add_image("b", pair.b)
        if self._may_be_halves and self._added % self._seams_every == 0:
            self._seam.add(pair.a, pair.b)
        self._added += 1

    def add_image(self, side: SideName, image: NDArray[np.generic]) -> None:
        """Add an image of one side that is as its dataset declares."""
        self._sides[side].add(image)

    def inspection(self) -> Inspection:
        """Statistics of both sides, and suspicions: at most one a side and one about both; of one pair at least."""
        sides: dict[SideName, SideStatistics] = {name: side.statistics() for name, side in self._sides.items()}
        found = (*(_suspicion(name, side) for name, side in sides.items()), halves_of_photos(self._seam))
        return Inspection(sides, [suspicion for suspicion in found if suspicion])


def _suspicion(name: SideName, found: SideStatistics) -> Suspicion | None:
    if isinstance(found, ClassStatistics):
        return constant_class(name, found)
    checks = (constant_values, class_indices, values_beyond_range, unused_range, lone_value)
    return next((suspicion for check in checks if (suspicion := check(name, found))), None)


def find_suspicions(selection: Selection, settings: Input) -> list[Suspicion]:
    """Suspicions about a few evenly spaced pairs: 32, or as few as 4 of large ones, which takes about a second at most.

    Args:
        selection: the pairs to take them from.
        settings: the recipe's `[input]`, with its ranges measured.

    Raises:
        DataError: one of them cannot be read, or does not fit.
    """
    prepared = selection.pairs
    pairs = prepared.pairs
    indices = selection.conditions if pairs.is_paired else range(len(pairs))
    require_pair(first := pairs[indices[0]], pairs.description)
    least, most = _PAIRS
    count = min(most, max(least, _VALUES // max(1, first.a.size + first.b.size)))
    places = [indices[place] for place in evenly_spaced(len(indices), count)]
    inspector = PairInspector(pairs, settings, len(places))
    for place in places:
        pair = pairs[place]
        prepared.prepare(pair)
        inspector.add(pair)
    seen = "" if len(places) == len(indices) else f"of {len(places)} pairs that were looked at, "
    return [suspicion._replace(what=f"{seen}{suspicion.what}") for suspicion in inspector.inspection().suspicions]
