"""One side of another dataset's pairs, as both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from genlab import Dataset, Pair, Pairs, SideImage, SideName, Split
from genlab_images.around import Around


class OneSide(Around):
    """One side of another dataset's pairs, as both sides: an image and itself, as super-resolution needs it.

    With `input.scale = 4` the condition is then the target at a quarter of its height and width.

    Args:
        source: where the images come from.
        side: the side that they are on.
    """

    def __init__(self, *, source: Dataset, side: SideName = "a") -> None:
        super().__init__(source)
        self.side: SideName = side

    @override
    def open(self, split: Split) -> Pairs:
        return OneSidePairs(self.chosen.dataset.open(split), self.side)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.chosen.dataset.read(path, self.side)


class OneSidePairs(Pairs):
    """The pairs of one split.

    Args:
        source: the pairs, or images without pairs.
        side: the side that is taken.
    """

    def __init__(self, source: Pairs, side: SideName) -> None:
        shown = source.a if side == "a" else source.b
        super().__init__(shown, shown, f"{source.description}, side {side} as both", source.left_out)
        self.source = source
        self.side: SideName = side
        self.has_masks = source.has_masks

    @override
    def __len__(self) -> int:
        return self.source.count_of(self.side)

    @override
    def __getitem__(self, index: int) -> Pair:
        found = self.source.read_side(index, self.side)
        mask = self.source[index].mask if self.has_masks else None
        return Pair(found.key, found.image, found.image, mask)

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        return self.source.read_side(index, self.side)

    @override
    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.source.fingerprint()} {self.side} as both".encode()).hexdigest()

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those of the side that is taken."""
        return self.source.sizes(self.side)
