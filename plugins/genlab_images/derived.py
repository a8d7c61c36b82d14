"""Another dataset's images, each with a condition that is derived from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from genlab import DataError, Dataset, ImageSide, LabelSide, Pair, Pairs, SideImage, SideName, Split
from genlab_images.around import Around


class Derivation(Protocol):
    """Makes the condition of an image."""

    @property
    def identity(self) -> str:
        """Text that changes with whatever conditions depend on but for the images, for fingerprints."""
        ...

    @property
    def scale(self) -> int:
        """Factor from a condition's height and width to its image's."""
        ...

    def fault(self, side: ImageSide) -> str | None:
        """Reason why a side's images have no such condition; None if they have."""
        ...

    def condition_side(self, side: ImageSide) -> ImageSide:
        """Description of the conditions of a side's images, whose type is declared."""
        ...

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:
        """The condition of an image (height, width, channels), the same for the same key."""
        ...

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The condition that an image (height, width, channels) stands for which a person predicts from."""
        ...


class Derived(Around):
    """Another dataset's images as side b, and as side a what is derived from each.

    Args:
        source: where the images come from.
        side: the side that they are on.
        derivation: what makes the conditions.
    """

    def __init__(self, source: Dataset, side: SideName, derivation: Derivation) -> None:
        super().__init__(source)
        self.side: SideName = side
        self.derivation = derivation

    @override
    def open(self, split: Split) -> Pairs:
        return DerivedPairs(self.chosen.dataset.open(split), self.side, self.derivation)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        image = self.chosen.dataset.read(path, self.side)
        return self.derivation.from_file(image) if side == "a" else image


class DerivedPairs(Pairs):
    """The pairs of one split.

    Args:
        source: the pairs, or images without pairs.
        side: the side whose images are taken.
        derivation: what makes the conditions.

    Raises:
        DataError: that side is a label map, or its images have no such condition; or, when a pair is read, this image.
    """

    is_derived = True

    def __init__(self, source: Pairs, side: SideName, derivation: Derivation) -> None:
        shown = source.a if side == "a" else source.b
        other = "b" if side == "a" else "a"
        hint = f'If the images are on the other side, set data.side = "{other}".'
        if isinstance(shown, LabelSide):
            raise DataError(f"side {side} is a label map; expected images", where=source.description, hint=hint)
        typed = shown
        if shown.dtype is None and source.count_of(side):
            typed = replace(shown, dtype=source.read_side(0, side).image.dtype.name)
        if fault := derivation.fault(typed):
            raise DataError(f"side {side} {fault}", where=source.description, hint=hint)
        description = f"{source.description}; conditions: {derivation.identity}"
        super().__init__(derivation.condition_side(typed), shown, description, source.left_out)
        self.source = source
        self.side: SideName = side
        self.derivation = derivation
        self.has_masks = source.has_masks

    @override
    def __len__(self) -> int:
        return self.source.count_of(self.side)

    @override
    def __getitem__(self, index: int) -> Pair:
        key, image = self._image(index)
        mask = self.source[index].mask if self.has_masks else None
        cut = None if mask is None else mask[: image.shape[0], : image.shape[1]]
        return Pair(key, self.derivation.condition(image, key), image, cut)

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        found = self._image(index)
        return found if side == "b" else found._replace(image=self.derivation.condition(found.image, found.key))

    @override
    def fingerprint(self) -> str:
        identity = f"{self.source.fingerprint()} {self.side} {self.derivation.identity}"
        return hashlib.sha256(identity.encode()).hexdigest()

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those of the images, without what is left over from whole pixels of their conditions."""
        scale = self.derivation.scale
        small = [(height // scale, width // scale) for height, width in self.source.sizes(self.side)]
        return small if side == "a" else [(scale * height, scale * width) for height, width in small]

    def _image(self, index: int) -> SideImage:
        """An image, without the last rows and columns that are left over from whole pixels of its condition."""
        found = self.source.read_side(index, self.side)
        scale = self.derivation.scale
        height, width = (scale * (length // scale) for length in found.image.shape[:2])
        if not (height and width):
            what = f"the image has {found.image.shape[0]} x {found.image.shape[1]} pixels; expected at least {scale}"
            raise DataError(f"{what} each way", where=found.key, hint="Remove it, or lower data.factor.")
        return found._replace(image=found.image[:height, :width])
