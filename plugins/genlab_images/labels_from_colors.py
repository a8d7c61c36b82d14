"""Label maps that are kept as pictures of a few colors."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import MaxLen, MinLen
from numpy.typing import NDArray

from genlab import DataError, Dataset, ImageSide, SideName
from genlab_images.labeled import MAX_CLASSES, Labeled, PaletteColor

FAR = 85
"""Of 255 levels: most pixels of a label map, blurred by JPEG, are nearer to their color; those of a photo are not."""

FOREIGN = 32
SHARE = 0.02
"""What blurring leaves far from the palette is of many colors: in the CMP Facades no single color that lies 32 levels
or more from all of the palette's has more than 0.5 % of a map's pixels."""


class LabelsFromColors(Labeled):
    """Another dataset's pairs, one side of which is read as a label map: each pixel is of the class of nearest color.

    JPEG blurs the few colors of a label map into thousands; the nearest by Euclidean distance is the class. A PNG with
    a palette of its own is read in the colors of that palette, and gray as colors of three equal values.

    Args:
        source: where the pairs come from.
        palette: the color of each class (red, green, blue, 0 to 255), in the order of the classes.
        ignore: the color of pixels of no class, which losses and metrics leave out; unless given, all have a class.
        side: which side shows labels.
    """

    def __init__(
        self,
        *,
        source: Dataset,
        palette: Annotated[list[PaletteColor], MinLen(2), MaxLen(MAX_CLASSES)],
        ignore: PaletteColor | None = None,
        side: SideName = "b",
    ) -> None:
        if ignore in palette:
            raise ValueError(f"ignore is {list(ignore)}, which is also in palette: a color is a class's, or ignored")
        if len(set(palette)) < len(palette):
            twice = next(color for color in palette if palette.count(color) > 1)
            raise ValueError(f"palette has the color {list(twice)} twice, and a color is one class's")
        super().__init__(source, side, ColorClassifier(tuple(palette), ignore))


class ColorClassifier(NamedTuple):
    """Classifies pixels by the nearest color of the palette."""

    palette: tuple[PaletteColor, ...]
    ignored: PaletteColor | None = None

    @property
    def ignores(self) -> bool:
        """True if one color is of no class."""
        return self.ignored is not None

    @property
    def identity(self) -> str:
        """The colors."""
        colors = str(np.array(self.palette, np.float32).tolist())
        return colors if self.ignored is None else f"{colors}, {self.ignored} ignored"

    def fault(self, side: ImageSide) -> str | None:
        """Reason why images of a side cannot be classified; None if they can."""
        if side.dtype not in (None, "uint8", "uint16"):
            return f"has values of {side.dtype}, and colors have 8 or 16 bits"
        return None if side.channels in (1, 3) and not side.range else "is not an image in gray or RGB"

    def classes(self, picture: NDArray[np.generic], side: SideName, where: str) -> NDArray[np.unsignedinteger]:
        """The class of the nearest color at each pixel, (height, width); of the ignored one the number of classes.

        Args:
            picture: (height, width, 1 or 3) of uint8 or uint16.
            side: which side it is of.
            where: how to name it to a person.

        Raises:
            DataError: it shows other classes, or none.
        """
        if picture.dtype.name not in ("uint8", "uint16"):
            raise DataError(f"expected colors of 8 or 16 bits, got values of {picture.dtype}", where=where)
        colors = np.array(self.palette if self.ignored is None else (*self.palette, self.ignored), np.float32)
        levels = picture.astype(np.float32) / np.float32(257 if picture.dtype == np.uint16 else 1)
        if levels.shape[2] == 1:
            levels = np.repeat(levels, 3, axis=2)
        squares = np.square(levels).sum(axis=2, keepdims=True) + np.square(colors).sum(axis=1)
        distances = squares - 2 * levels @ colors.T
        classes, nearest = distances.argmin(axis=2), distances.min(axis=2)
        _refuse_other_colors(levels, nearest, side, where)
        return classes.astype(np.uint8 if len(colors) <= 256 else np.uint16)


def _refuse_other_colors(levels: NDArray[np.float32], nearest: NDArray[np.float32], side: SideName, where: str) -> None:
    """Refuse a frequent color that the palette lacks, and pixels that are mostly far from all of its colors."""
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
