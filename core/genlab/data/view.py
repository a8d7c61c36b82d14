"""Pictures of what networks see: the bands that are shown, and the values of black and white."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from genlab.config.schema import Evaluate, PreviewBands
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import (
    OneHotLabels,
    TensorSpec,
    channels_of,
    ignored_class,
    shown_palette,
    to_bytes,
    to_classes,
    value_range,
)
from genlab.errors import DataError
from genlab.interfaces.dataset import ImageSide, SideName

RGB = (1, 2, 3)


class SideView(NamedTuple):
    """Pictures of a side.

    Args:
        side: what it is to networks.
        bands: the channels that are shown, counted from 1: three as red, green and blue, or one as gray.
        caption: which bands are shown and which values are black and white, such as `bands 4 3 2 of 8, 0 to 10000`;
            empty for gray and RGB of 8 bits and for classes, of which pictures show all there is.
        enlarged: how many times as high and wide as the tensor pictures are.
    """

    side: TensorSpec
    bands: tuple[int, ...] = RGB
    caption: str = ""
    enlarged: int = 1

    def picture(self, image: Float[Tensor, "c h w"]) -> NDArray[np.uint8]:
        """Convert a tensor of a network to (height, width, 3) uint8; classes have their palette's colors."""
        return self._colors(image).repeat(self.enlarged, axis=0).repeat(self.enlarged, axis=1)

    def _colors(self, image: Float[Tensor, "c h w"]) -> NDArray[np.uint8]:
        if isinstance(self.side, OneHotLabels):
            return np.array(shown_palette(self.side), np.uint8)[_classes(image, self.side)]
        shown = image[[band - 1 for band in self.bands]]
        return to_bytes(shown.expand(3, -1, -1))


def _classes(image: Float[Tensor, "c h w"], side: OneHotLabels) -> NDArray[np.unsignedinteger]:
    """The class of each pixel of scores or of a target, which is 0 in all channels where a pixel is of no class."""
    classes, ignored = to_classes(image), ignored_class(side)
    if ignored is None:
        return classes
    is_of_none = (image == 0).all(dim=0).cpu().numpy()
    return np.where(is_of_none, ignored, classes)


class PairViews(NamedTuple):
    """Pictures of condition and target."""

    condition: SideView
    target: SideView


def view_pairs(pairs: PreparedPairs, settings: Evaluate) -> PairViews:
    """Views of both sides, with the bands that a recipe chooses, in one size.

    Raises:
        DataError: a side does not have such a band, or is a label map.
    """
    wanted: dict[SideName, PreviewBands] = {"a": settings.preview_bands_a, "b": settings.preview_bands_b}
    views = (
        _view(side, dtype, name, wanted[name])
        for side, dtype, name in zip(pairs.sides, pairs.dtypes, pairs.names, strict=True)
    )
    condition, target = views
    return PairViews(condition._replace(enlarged=pairs.scale), target)


def _view(side: TensorSpec, dtype: str, name: SideName, wanted: PreviewBands) -> SideView:
    setting = f"evaluate.preview_bands_{name}"
    if not isinstance(side, ImageSide):
        if wanted != "auto":
            raise DataError(f"{setting} is set, but side {name} is a label map", hint="Remove it from the recipe.")
        return SideView(side)
    count = channels_of(side)
    bands = _bands(wanted, count)
    if max(bands) > count:
        what = f"{setting} has band {max(bands)}, and side {name} has {count}"
        raise DataError(what, hint="Bands count from 1.")
    low, high = value_range(dtype, side.range, f"side {name}")
    is_whole = bands == tuple(range(1, count + 1))
    named = "" if is_whole else f"band{'s' if len(bands) > 1 else ''} {' '.join(map(str, bands))} of {count}"
    stretch = "" if (dtype, low, high) == ("uint8", 0, 255) else f"{low:g} to {high:g}"
    return SideView(side, bands, ", ".join(filter(None, (named, stretch))))


def _bands(wanted: PreviewBands, count: int) -> tuple[int, ...]:
    if wanted == "auto":
        return RGB if count >= 3 else RGB[:1]
    return (wanted,) if isinstance(wanted, int) else wanted
