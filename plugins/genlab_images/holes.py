"""Images from themselves with holes: inpainting."""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from genlab import Dataset, ImageSide, SideName
from genlab_images.derived import Derived
from genlab_images.draws import draws_of
from genlab_images.paired import counted


class Holes(Derived):
    """Another dataset's images as side b, and each with holes as side a: for inpainting.

    Holes have the form of the image, and lie at random, over one another too; an image always has the same ones. To
    predict, a file is taken as it is: paint its holes with the value `fill`.

    Args:
        source: where the images come from.
        side: the side that they are on.
        count: how many holes an image has.
        share: the area of all holes, as a share of the image's; less where they overlap.
        fill: the value of all bands in a hole, in the values that images are stored with.
        seed: what the places are drawn by, with the image's key.
    """

    def __init__(
        self,
        *,
        source: Dataset,
        side: SideName = "a",
        count: Annotated[int, Ge(1), Le(1000)] = 1,
        share: Annotated[float, Gt(0), Le(1)] = 0.25,
        fill: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(source, side, HolesDerivation(count, share, fill, seed))


class HolesDerivation(NamedTuple):
    """Makes holes in an image."""

    holes: int
    share: float
    fill: float
    seed: int
    scale: int = 1

    @property
    def identity(self) -> str:
        """The settings."""
        return f"{counted(self.holes, 'hole')} of {self.share:g} filled with {self.fill:g}, seed {self.seed}"

    def fault(self, side: ImageSide) -> str | None:
        """Reason why the value of holes is none of a side's type."""
        if side.dtype is None or np.dtype(side.dtype).kind == "f":
            return None
        limits = np.iinfo(side.dtype)
        if self.fill.is_integer() and limits.min <= self.fill <= limits.max:
            return None
        return f"has values of {side.dtype}, from {limits.min} to {limits.max}, and data.fill is {self.fill:g}"

    def condition_side(self, side: ImageSide) -> ImageSide:
        """That of the images."""
        return side

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:
        """The image with its holes."""
        found = image.copy()
        draws = draws_of(self.seed, key)
        height, width = (max(1, round(length * math.sqrt(self.share / self.holes))) for length in image.shape[:2])
        for down, right in draws.random((self.holes, 2)):
            top = int(down * (image.shape[0] - height + 1))
            left = int(right * (image.shape[1] - width + 1))
            found[top : top + height, left : left + width] = self.fill
        return found

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The image, which has its holes."""
        return image
