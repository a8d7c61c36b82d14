"""Color from gray: images, each with its gray version as the condition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlab import Dataset, ImageSide, SideName
from genlab_images.derived import Derived

_RED_GREEN_BLUE = (0.299, 0.587, 0.114)


class Gray(Derived):
    """Another dataset's images as side b, and the gray version of each as side a: for colorization.

    Gray is the luma of three bands (ITU-R BT.601), the mean of any other number of bands, and has the images' depth. To
    predict, a file may be in gray or in colors, whose gray is taken.

    Args:
        source: where the images come from.
        side: the side that they are on.
    """

    def __init__(self, *, source: Dataset, side: SideName = "a") -> None:
        super().__init__(source, side, GrayDerivation())


class GrayDerivation(NamedTuple):
    """Makes an image gray."""

    identity: str = "gray"
    scale: int = 1

    def fault(self, side: ImageSide) -> str | None:
        """Reason why a side's images cannot become gray."""
        return "has one channel: its images are gray already" if side.channels == 1 else None

    def condition_side(self, side: ImageSide) -> ImageSide:
        """One channel, with the range and the type of the images."""
        return ImageSide(1, side.range, side.dtype)

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:  # noqa: ARG002
        """The gray version."""
        return gray_of(image)

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The gray version, which is the image itself if it is gray."""
        return gray_of(image)


def gray_of(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Gray version (height, width, 1), of the same type, of an image (height, width, channels)."""
    channels = image.shape[2]
    if channels == 1:
        return image
    weights = np.array(_RED_GREEN_BLUE) if channels == 3 else np.full(channels, 1 / channels)
    return rounded(image.astype(np.float64) @ weights[:, None], image.dtype)


def rounded(values: NDArray[np.float64], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Values as a type: the nearest integers, or floats."""
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)
