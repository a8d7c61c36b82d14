"""Storeys and bays of a wall."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from genlab_facades.dice import Dice
from genlab_facades.geometry import Box


class Grid:
    """A wall divided into cells, one for each storey and bay.

    Args:
        wall: from the eaves to the ground.
        crown: height of the molding under the eaves.
        edge: width of the wall beside the outer bays.
        heights: of the storeys in proportion, the ground floor first.
        widths: of the bays in proportion, from left to right.
    """

    def __init__(self, wall: Box, crown: float, edge: float, heights: Sequence[float], widths: Sequence[float]) -> None:
        self.wall = wall
        self.crown = Box(wall.left, wall.top, wall.right, wall.top + crown)
        self.floors = len(heights)
        self.bays = len(widths)
        rise = (wall.height - crown) / sum(heights)
        run = (wall.width - 2 * edge) / sum(widths)
        self._levels = [wall.bottom - rise * height for height in accumulate(heights, initial=0.0)]
        self._axes = [wall.left + edge + run * width for width in accumulate(widths, initial=0.0)]

    def cell(self, floor: int, bay: int, last: int | None = None) -> Box:
        """The part of the wall that belongs to one bay, or to the bays from `bay` to `last`, on one floor."""
        last = bay if last is None else last
        return Box(self._axes[bay], self._levels[floor + 1], self._axes[last + 1], self._levels[floor])

    def choose(self, dice: Dice, *patterns: str) -> frozenset[int]:
        """Some of the bays, after one of these patterns: `all`, `center`, `edges`, `odd`, `even`, `inner`, `one`."""
        count, bays = self.bays, range(self.bays)
        one = dice.count(0, count - 1)
        chosen = {
            "all": bays,
            "center": (count // 2, (count - 1) // 2),
            "edges": (0, count - 1),
            "odd": bays[1::2],
            "even": bays[::2],
            "inner": bays[1:-1],
            "one": (one,),
        }
        return frozenset(chosen[dice.pick(patterns)])
