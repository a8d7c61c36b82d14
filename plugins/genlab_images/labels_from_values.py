"""Label maps that are kept as images of one channel: masks, and maps of classes' indices."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le, MaxLen, MinLen
from numpy.typing import NDArray

from genlab import DataError, Dataset, ImageSide, SideName
from genlab_images.labeled import MAX_CLASSES, Labeled, PaletteColor

_NAMED = 8


class LabelsFromValues(Labeled):
    """Another dataset's pairs, one side of which is read as a label map: each pixel is of the class of its value.

    For masks (0 and 255, or 0 and 1) and maps of classes' indices, of 8 or 16 bits. A value of no class is refused,
    unless it is the one that means "not labeled", in `ignore`: losses and metrics leave such pixels out. A PNG of 1 bit
    has the values 0 and 255. PNGs with a palette have three channels, and masks in JPEG are blurred:
    `labels_from_colors` reads both.

    Args:
        source: where the pairs come from.
        values: the value of each class, in the order of the classes, such as [0, 255]; a number stands for all values
            below it, so that 19 means 0 to 18.
        ignore: the value of pixels of no class, such as 255 or -1, which do not count; unless given, all have a class.
        palette: the color that each class is shown in (red, green, blue, 0 to 255); otherwise black and white for two
            classes, and the colors of PASCAL VOC for more.
        side: which side shows labels.
    """

    def __init__(
        self,
        *,
        source: Dataset,
        values: Annotated[list[int], MinLen(2), MaxLen(MAX_CLASSES)] | Annotated[int, Ge(2), Le(MAX_CLASSES)],
        ignore: int | None = None,
        palette: list[PaletteColor] | None = None,
        side: SideName = "b",
    ) -> None:
        listed = list(range(values)) if isinstance(values, int) else values
        if ignore in listed:
            raise ValueError(f"ignore is {ignore}, which is also in values: a value is a class, or ignored")
        if len(set(listed)) < len(listed):
            twice = next(value for value in listed if listed.count(value) > 1)
            raise ValueError(f"values has {twice} twice, and a value is one class's")
        if palette is not None and len(palette) != len(listed):
            raise ValueError(f"palette has {len(palette)} colors, and there are {len(listed)} values: one for each")
        colors = tuple(palette or default_palette(len(listed)))
        super().__init__(source, side, ValueClassifier(tuple(listed), colors, ignore))


class ValueClassifier(NamedTuple):
    """Classifies pixels by their exact values."""

    values: tuple[int, ...]
    palette: tuple[PaletteColor, ...]
    ignored: int | None = None

    @property
    def ignores(self) -> bool:
        """True if one value is of no class."""
        return self.ignored is not None

    @property
    def identity(self) -> str:
        """The values."""
        return str(self.values) if self.ignored is None else f"{self.values}, {self.ignored} ignored"

    def fault(self, side: ImageSide) -> str | None:
        """Reason why images of a side cannot be classified; None if they can."""
        if side.channels != 1:
            return f"has {side.channels} channels; expected one. labels_from_colors reads labels from colors"
        return "is not an image of integers" if side.range or (side.dtype or "").startswith("float") else None

    def classes(self, picture: NDArray[np.generic], side: SideName, where: str) -> NDArray[np.unsignedinteger]:
        """The class of each pixel's value, (height, width); of the ignored value the number of classes.

        Args:
            picture: (height, width, 1) of integers.
            side: which side it is of.
            where: how to name it to a person.

        Raises:
            DataError: it has other channels, or values of no class.
        """
        if fault := self.fault(ImageSide(picture.shape[2], dtype=picture.dtype.name)):
            raise DataError(f"side {side} {fault}", where=where)
        values = np.array(self.values if self.ignored is None else (*self.values, self.ignored))
        order = np.argsort(values)
        known = values[order]
        places = np.searchsorted(known, picture[..., 0]).clip(max=len(known) - 1)
        _refuse_other_values(picture[known[places] != picture[..., 0]], side, where)
        return order[places].astype(np.uint8 if len(known) <= 256 else np.uint16)


def _refuse_other_values(others: NDArray[np.generic], side: SideName, where: str) -> None:
    if not others.size:
        return
    values, counts = np.unique(others, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:_NAMED]
    named = ", ".join(f"{values[index]} ({counts[index]:,} px)" for index in frequent)
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    hint = "Add them to data.values; or is data.side the wrong one? Of masks blurred by JPEG, labels_from_colors takes"
    raise DataError(
        f"side {side} has values of no class: {named}{more}", where=where, hint=f"{hint} the nearest class."
    )


def default_palette(count: int) -> list[PaletteColor]:
    """Colors that differ, for classes without: black and white for two, and for more those of PASCAL VOC's devkit.

    There, the bits of an index are dealt to red, green and blue in turn, from the highest of each down.
    """
    if count == 2:
        return [(0, 0, 0), (255, 255, 255)]
    return [
        (_every_third_bit(index), _every_third_bit(index >> 1), _every_third_bit(index >> 2)) for index in range(count)
    ]


def _every_third_bit(index: int) -> int:
    return sum((index >> 3 * place & 1) << (7 - place) for place in range(8))
