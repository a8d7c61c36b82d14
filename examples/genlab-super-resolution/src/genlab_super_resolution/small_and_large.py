"""Pairs of a small and a large version of one image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge
from genlab import Choice, DataError, Dataset, ImageSide, Pair, Pairs, SideName, Split
from numpy.typing import NDArray

Image = NDArray[np.generic]


class SmallAndLarge(Dataset):
    """The middle of each image of a side of another dataset: as side a made smaller, as side b as it is.

    A pixel of the small version is the mean of `scale` x `scale` pixels of the large one. Nothing else is resized, so
    that a recipe with this `scale` in `[input]`, and this `size` as its `size`, trains on pixels as they were stored.

    Args:
        source: where the images come from.
        side: which of its sides they are.
        size: height and width of the small version, in pixels.
        scale: how many times as high and wide the large version is.
    """

    def __init__(
        self,
        *,
        source: Dataset,
        side: Literal["a", "b"] = "a",
        size: Annotated[int, Ge(1)] = 32,
        scale: Annotated[int, Ge(1)] = 3,
    ) -> None:
        self.source, self.size, self.scale = source, size, scale
        self.side: SideName = side

    def probe(self) -> None:
        self.source.probe()

    def choose(self) -> Choice:
        chosen = self.source.choose()
        dataset = SmallAndLarge(source=chosen.dataset, side=self.side, size=self.size, scale=self.scale)
        return Choice(dataset, chosen.reason, {"source": chosen})

    def available_splits(self) -> Sequence[Split]:
        return self.source.available_splits()

    def open(self, split: Split) -> Pairs:
        return SmallAndLargePairs(self.source.open(split), self.side, self.size, self.scale)

    def read(self, path: Path, side: SideName) -> Image:  # noqa: ARG002, as a file to predict from is small already
        return self.source.read(path, self.side)


class SmallAndLargePairs(Pairs):
    """The pairs of one split: square images, as arrays of the type and the channels of the source's."""

    def __init__(self, source: Pairs, side: SideName, size: int, scale: int) -> None:
        kind = source.a if side == "a" else source.b
        if not isinstance(kind, ImageSide):
            raise DataError(f"side {side} of the source is a label map", hint="Take the other one.")
        if source.has_masks:
            raise DataError("pairs of the source have masks, and these are not cut", where=source.description)
        super().__init__(kind, kind, f"{source.description}: side {side} small and large", source.left_out)
        self.source, self.size, self.scale = source, size, scale
        self.side: SideName = side

    def __len__(self) -> int:
        return self.source.count_of(self.side)

    def __getitem__(self, index: int) -> Pair:
        read = self.source.read_side(index, self.side)
        length = self.size * self.scale
        top, left = ((there - length) // 2 for there in read.image.shape[:2])
        if min(top, left) < 0:
            raise DataError(f"an image smaller than {length} pixels, which is size times scale", where=read.key)
        large = read.image[top : top + length, left : left + length]
        return Pair(read.key, shrink(large, self.scale), large)


def shrink(image: Image, scale: int) -> Image:
    """Average squares of `scale` x `scale` pixels of (h, w, channels), in the image's own type."""
    height, width, channels = image.shape
    squares = image.reshape(height // scale, scale, width // scale, scale, channels)
    means: NDArray[Any] = squares.mean(axis=(1, 3), dtype=np.float64)
    return (np.rint(means) if image.dtype.kind in "iu" else means).astype(image.dtype)
