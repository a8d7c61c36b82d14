"""Label maps that are kept as pictures of a few colors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.typing import NDArray
from typing_extensions import override

from genlab import Choice, DataError, Dataset, ImageSide, LabelSide, Pair, Pairs, SideName, Split

FAR = 85
"""Of 255 levels: most pixels of a label map, blurred by JPEG, are nearer to their color; those of a photo are not."""

FOREIGN = 32
SHARE = 0.02
"""What blurring leaves far from the palette is of many colors: in the CMP Facades no single color that lies 32 levels
or more from all of the palette's has more than 0.5 % of a map's pixels."""

Intensity = Annotated[int, Ge(0), Le(255)]
PaletteColor = tuple[Intensity, Intensity, Intensity]


class LabelsFromColors(Dataset):
    """Another dataset's pairs, one side of which is read as a label map: each pixel is of the class of nearest color.

    JPEG blurs the few colors of a label map into thousands; the nearest by Euclidean distance is the class.

    Args:
        source: where the pairs come from.
        palette: the color of each class (red, green, blue, 0 to 255), in the order of the classes.
        side: which side shows labels.
    """

    def __init__(
        self, *, source: Dataset, palette: Annotated[list[PaletteColor], MinLen(2)], side: SideName = "b"
    ) -> None:
        if len(set(palette)) < len(palette):
            twice = next(color for color in palette if palette.count(color) > 1)
            raise ValueError(f"palette has the color {list(twice)} twice, and a color is one class's")
        self.source = source
        self.palette = palette
        self.side: SideName = side

    @override
    def probe(self) -> None:
        self.source.probe()

    @override
    def open(self, split: Split) -> Pairs:
        return LabelledPairs(self._source.dataset.open(split), tuple(self.palette), self.side)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        image = self._source.dataset.read(path, side)
        if side != self.side:
            return image
        if image.shape[2] == 1:
            image = np.repeat(image, 3, axis=2)
        return nearest_classes(image, self.palette, side, str(path))

    @override
    def choose(self) -> Choice:
        return Choice(self, self._source.reason, {"source": self._source})

    @cached_property
    def _source(self) -> Choice:
        return self.source.choose()


class LabelledPairs(Pairs):
    """The pairs of one split.

    Args:
        source: the pairs with labels as colors.
        palette: the classes' colors.
        side: which side shows labels.

    Raises:
        DataError: that side is no image of three channels; or, when a pair is read, half of its pixels are far from all
            of the palette's colors.
    """

    def __init__(self, source: Pairs, palette: tuple[PaletteColor, ...], side: SideName) -> None:
        shown = source.a if side == "a" else source.b
        if not isinstance(shown, ImageSide) or shown.channels != 3 or shown.range:
            what = "is a label map already" if isinstance(shown, LabelSide) else "is no image of red, green and blue"
            raise DataError(
                f"side {side} {what}, so its classes cannot be told by colors",
                where=source.description,
                hint="Take the dataset without labels_from_colors, if it has labels; or convert its pictures to RGB.",
            )
        labels = LabelSide(palette)
        super().__init__(
            labels if side == "a" else source.a,
            labels if side == "b" else source.b,
            f"{source.description}, {side} as {len(palette)} classes",
            source.left_out,
        )
        self.source = source
        self.side: SideName = side
        self.palette = palette

    @override
    def __len__(self) -> int:
        return len(self.source)

    @override
    def __getitem__(self, index: int) -> Pair:
        pair = self.source[index]
        return pair._replace(
            **{self.side: nearest_classes(getattr(pair, self.side), self.palette, self.side, pair.key)}
        )

    @override
    def fingerprint(self) -> str:
        colors = np.array(self.palette, np.float32).tolist()
        return hashlib.sha256(f"{self.source.fingerprint()} {self.side} {colors}".encode()).hexdigest()


def nearest_classes(
    picture: NDArray[np.generic], palette: Sequence[PaletteColor], side: SideName, where: str
) -> NDArray[np.unsignedinteger]:
    """The class of the nearest color at each pixel, (height, width).

    Args:
        picture: (height, width, 3) of uint8 or uint16.
        palette: the classes' colors.
        side: which side it is of.
        where: how to name it to a person.

    Raises:
        DataError: it shows other classes, or none.
    """
    colors = np.array(palette, np.float32)
    levels = picture.astype(np.float32) / np.float32(257 if picture.dtype == np.uint16 else 1)
    squares = np.square(levels).sum(axis=2, keepdims=True) + np.square(colors).sum(axis=1)
    distances = squares - 2 * levels @ colors.T
    classes, nearest = distances.argmin(axis=2), distances.min(axis=2)
    _refuse_other_colors(levels, nearest, side, where)
    return classes.astype(np.uint8 if len(colors) <= 256 else np.uint16)


def _refuse_other_colors(levels: NDArray[np.float32], nearest: NDArray[np.float32], side: SideName, where: str) -> None:
    """No single color that the palette does not have may have a class's share, and most must be near to one."""
    colors, counts = np.unique(levels[nearest > FOREIGN**2], axis=0, return_counts=True)
    if counts.sum() and counts.max() > SHARE * nearest.size:
        commonest = tuple(int(level) for level in colors[counts.argmax()])
        raise DataError(
            f"side {side} has the color {list(commonest)} in {counts.max() / nearest.size:.1%} of its pixels,"
            " and the palette does not",
            where=where,
            hint="Add it to data.palette, with values of 0 to 255; or is data.side the wrong one?",
        )
    if np.median(nearest) > FAR**2:
        raise DataError(
            f"half of side {side} is far from all of the palette's colors: it shows other classes, or none",
            where=where,
            hint="Check data.side and data.palette.",
        )
