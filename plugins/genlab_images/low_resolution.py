"""Images from smaller versions of themselves: super-resolution at the size that they are stored with."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from genlab import Dataset, ImageSide, SideName
from genlab_images.derived import Derived
from genlab_images.gray import rounded


class LowResolution(Derived):
    """Another dataset's images as side b, and a smaller version of each as side a: for super-resolution.

    A pixel of the small version is the mean of `factor` x `factor` pixels; rows and columns that are left over are cut
    off. `input.scale` has to be this factor. To predict, a file is taken as it is: it is small already.

    Args:
        source: where the images come from.
        side: the side that they are on.
        factor: how many times as high and wide as its small version an image is.
    """

    def __init__(self, *, source: Dataset, side: SideName = "a", factor: Annotated[int, Ge(2), Le(64)] = 4) -> None:
        super().__init__(source, side, LowResolutionDerivation(factor))


class LowResolutionDerivation(NamedTuple):
    """Makes an image smaller."""

    scale: int

    @property
    def identity(self) -> str:
        """The factor."""
        return f"1/{self.scale} of its height and width"

    def fault(self, side: ImageSide) -> str | None:  # noqa: ARG002
        """None: all images can be made smaller."""
        return None

    def condition_side(self, side: ImageSide) -> ImageSide:
        """That of the images."""
        return side

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:  # noqa: ARG002
        """Means of squares of an image whose height and width are multiples of the factor."""
        height, width, channels = image.shape
        squares = image.reshape(height // self.scale, self.scale, width // self.scale, self.scale, channels)
        return rounded(squares.mean(axis=(1, 3), dtype=np.float64), image.dtype)

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The image, which is small."""
        return image
