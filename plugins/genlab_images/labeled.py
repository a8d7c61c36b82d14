"""Another dataset's pairs, one side of which is read as a label map."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from typing_extensions import override

from genlab import DataError, Dataset, ImageSide, LabelSide, Pair, Pairs, SideImage, SideName, Split
from genlab_images.around import Around

Intensity = Annotated[int, Ge(0), Le(255)]
PaletteColor = tuple[Intensity, Intensity, Intensity]

MAX_CLASSES = 2**16


class Classifier(Protocol):
    """Maps each pixel of an image to its class."""

    @property
    def palette(self) -> tuple[PaletteColor, ...]:
        """The color of each class."""
        ...

    @property
    def ignores(self) -> bool:
        """True if pixels may be of no class; these have the number of classes."""
        ...

    @property
    def identity(self) -> str:
        """Text that changes with whatever the classes depend on, for fingerprints."""
        ...

    def fault(self, side: ImageSide) -> str | None:
        """Reason why images of a side cannot be classified; None if they can."""
        ...

    def classes(self, picture: NDArray[np.generic], side: SideName, where: str) -> NDArray[np.unsignedinteger]:
        """The class of each pixel, (height, width), of a picture (height, width, channels)."""
        ...


class Labeled(Around):
    """Another dataset, with labels on one side.

    Args:
        source: where the pairs come from.
        side: which side shows labels.
        classifier: what reads them.
    """

    def __init__(self, source: Dataset, side: SideName, classifier: Classifier) -> None:
        super().__init__(source)
        self.side: SideName = side
        self.classifier = classifier

    @override
    def open(self, split: Split) -> Pairs:
        return LabeledPairs(self.chosen.dataset.open(split), self.side, self.classifier)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        image = self.chosen.dataset.read(path, side)
        return self.classifier.classes(image, side, str(path)) if side == self.side else image


class LabeledPairs(Pairs):
    """The pairs of one split.

    Args:
        source: the pairs whose labels are images.
        side: which side shows labels.
        classifier: what reads them.

    Raises:
        DataError: images of that side cannot be classified; or, when a pair is read, those of this one.
    """

    def __init__(self, source: Pairs, side: SideName, classifier: Classifier) -> None:
        shown = source.a if side == "a" else source.b
        if isinstance(shown, LabelSide):
            hint = "Take the dataset in data.source by itself."
            raise DataError(f"side {side} is a label map already", where=source.description, hint=hint)
        if fault := classifier.fault(shown):
            raise DataError(f"side {side} {fault}", where=source.description, hint="Is data.side the wrong one?")
        classes = len(classifier.palette)
        labels = LabelSide(classifier.palette, ignore=classes if classifier.ignores else None)
        super().__init__(
            labels if side == "a" else source.a,
            labels if side == "b" else source.b,
            f"{source.description}, {side} as {classes} classes{' and ignored pixels' if classifier.ignores else ''}",
            source.left_out,
        )
        self.source = source
        self.side: SideName = side
        self.classifier = classifier
        self.is_paired = source.is_paired
        self.has_masks = source.has_masks
        self.is_derived = source.is_derived

    @override
    def __len__(self) -> int:
        return len(self.source)

    @override
    def __getitem__(self, index: int) -> Pair:
        pair = self.source[index]
        classes = self.classifier.classes(getattr(pair, self.side), self.side, pair.key)
        return pair._replace(**{self.side: classes})

    @override
    def count_of(self, side: SideName) -> int:
        return self.source.count_of(side)

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        found = self.source.read_side(index, side)
        if side != self.side:
            return found
        return found._replace(image=self.classifier.classes(found.image, side, found.key))

    @override
    def fingerprint(self) -> str:
        identity = f"{self.source.fingerprint()} {self.side} {self.classifier.identity}"
        return hashlib.sha256(identity.encode()).hexdigest()

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those of the source's pairs."""
        return self.source.sizes(side)
