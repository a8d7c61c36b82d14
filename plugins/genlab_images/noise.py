"""Images from noisy versions of themselves: denoising."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from genlab import Dataset, ImageSide, SideName
from genlab_images.derived import Derived
from genlab_images.draws import draws_of
from genlab_images.gray import rounded


class Noise(Derived):
    """Another dataset's images as side b, and each with normal noise as side a: for denoising.

    An image always has the same noise. Integers stay integers, of more bits or as floats, so that none is clipped; the
    range is that of the images. To predict, a file is taken as it is: it is noisy already.

    Args:
        source: where the images come from.
        deviation: standard deviation of the noise, in the values that images are stored with; 25 is a tenth of the
            range of 8 bits.
        side: the side that they are on.
        seed: what noise is drawn by, with the image's key.
    """

    def __init__(
        self, *, source: Dataset, deviation: Annotated[float, Gt(0)], side: SideName = "a", seed: int = 0
    ) -> None:
        super().__init__(source, side, NoiseDerivation(deviation, seed))


class NoiseDerivation(NamedTuple):
    """Adds noise to an image."""

    deviation: float
    seed: int
    scale: int = 1

    @property
    def identity(self) -> str:
        """The settings."""
        return f"noise of {self.deviation:g}, seed {self.seed}"

    def fault(self, side: ImageSide) -> str | None:
        """Reason why noise is too strong for a side's type."""
        dtype = np.dtype(side.dtype)
        if dtype.kind == "f" or self.deviation <= (most := 2 ** (8 * dtype.itemsize) - 1):
            return None
        return f"has values of {dtype}, so that data.deviation is at most {most}, and it is {self.deviation:g}"

    def condition_side(self, side: ImageSide) -> ImageSide:
        """A wider type, with the range of the images."""
        dtype = np.dtype(side.dtype)
        range_of_type = (0.0, float(np.iinfo(dtype.name).max)) if dtype.kind == "u" else None
        return replace(side, range=side.range or range_of_type, dtype=wider(dtype))

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:
        """The image with its noise."""
        noise = self.deviation * draws_of(self.seed, key).standard_normal(image.shape)
        return rounded(image.astype(np.float64) + noise, np.dtype(wider(image.dtype)))

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The image, which is noisy, in the type of conditions."""
        return image.astype(wider(image.dtype))


def wider(dtype: np.dtype[np.generic]) -> str:
    """Name of the type that has room for noise beyond the values of a type: floats are their own."""
    return dtype.name if dtype.kind == "f" else {1: "int16", 2: "int32"}.get(dtype.itemsize, "float64")
