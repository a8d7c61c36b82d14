"""Pairs for a machine that has none: facades that are drawn on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, Lt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import DataError, Dataset, ImageSide, LabelSide, Pair, Pairs, SideName, Split
from genlab_facades.classes import PALETTE
from genlab_facades.dice import Dice
from genlab_facades.labels import label_map
from genlab_facades.photo.render import render
from genlab_facades.plan.layout import lay_out

_STREAMS: dict[Split, int] = {"train": 0, "validation": 1, "test": 2}
_SAMPLE = 4
"""Pairs that the fingerprint looks at: enough houses to show most styles and parts."""
_SAMPLE_SIZE = 64


class DrawnFacades(Dataset):
    """Facades drawn from random numbers: side a a photo-like picture, side b its label map of twelve classes.

    The classes, their order and their colors are those of the CMP facades as pix2pix uses them. A pair depends on the
    seed, its split and its index alone: raising a count adds pairs, another size draws the same houses.

    Args:
        count: how many pairs to train on.
        validation_count: how many pairs to validate on; none of them is a training pair.
        test_count: how many pairs to test on, which no training sees; 0 for no such split.
        size: height and width of the pictures in pixels; 286 is what the paper cuts its 256 from.
        seed: another one gives other houses.
    """

    def __init__(
        self,
        *,
        count: Annotated[int, Ge(1), Le(10**9)] = 400,
        validation_count: Annotated[int, Ge(1), Le(10**9)] = 100,
        test_count: Annotated[int, Ge(0), Le(10**9)] = 106,
        size: Annotated[int, Ge(32), Le(65_536)] = 286,
        seed: Annotated[int, Ge(0), Lt(2**63)] = 0,
    ) -> None:
        self.counts: dict[Split, int] = {"train": count, "validation": validation_count, "test": test_count}
        self.size = size
        self.seed = seed

    @override
    def available_splits(self) -> Sequence[Split]:
        return [*filter(self.counts.get, self.counts)]

    @override
    def open(self, split: Split) -> Pairs:
        if not self.counts[split]:
            raise DataError("there are no test pairs", where="drawn facades", hint="Set data.test_count.")
        return DrawnPairs(split, self.counts[split], self.size, self.seed)


class DrawnPairs(Pairs):
    """The pairs of one split, each drawn when asked for.

    Args:
        split: `train`, `validation` or `test`; they never share a house.
        count: how many there are.
        size: side of the square pictures in pixels.
        seed: what all random decisions start from.
    """

    def __init__(self, split: Split, count: int, size: int, seed: int) -> None:
        super().__init__(ImageSide(3), LabelSide(PALETTE), f"{count} drawn facades ({split}, seed {seed})")
        self.split: Split = split
        self.count = count
        self.size = size
        self.seed = seed

    @override
    def __len__(self) -> int:
        return self.count

    @override
    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < self.count:
            raise IndexError(f"there are {self.count} pairs, from 0; {index} is none of them")
        return Pair(f"{self.split}-{index:05d}", *self._draw(index, self.size))

    @override
    def fingerprint(self) -> str:
        """A hash of the settings, and of the first few pairs drawn small.

        The settings determine all pairs as long as the drawing does not change, so reading them all would tell nothing
        more. If a version of this plugin, of NumPy or of Pillow draws otherwise, the few pairs tell.
        """
        digest = hashlib.sha256(f"{self.split} {self.count} {self.size} {self.seed} {PALETTE}".encode())
        for index in range(min(self.count, _SAMPLE)):
            for side in self._draw(index, _SAMPLE_SIZE):
                digest.update(side.tobytes())
        return digest.hexdigest()

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """The one that all are drawn at."""
        return [(self.size, self.size)]

    def _draw(self, index: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        dice = Dice(self.seed, _STREAMS[self.split], index)
        building = lay_out(dice)
        return render(building, dice, size), label_map(building, size)
