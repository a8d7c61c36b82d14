"""Images from their edges."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Gt, Le, Lt
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, sobel

from genlab import Dataset, ImageSide, SideName
from genlab_images.derived import Derived
from genlab_images.gray import gray_of

_DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Steps (down, right) to the neighbors across edges, by the direction of the gradient in steps of 45 degrees."""


class Edges(Derived):
    """Another dataset's images as side b, and the edges of each as side a: a drawing in 8 bits, black on white.

    An edge is where the gradient of the smoothed gray image is among the strongest of the image, and stronger than that
    of its neighbors across the edge (Canny 1986, without hysteresis). So edges do not depend on depth or range. They
    are a pixel wide at the size of the stored image; resized to a much smaller one, they become faint.

    To predict, a file in gray is a drawing, as it is; of one in colors, the edges are taken.

    Args:
        source: where the images come from.
        side: the side that they are on.
        sigma: standard deviation of the smoothing, in pixels; details much smaller have no edges.
        share: share of an image's pixels whose gradient counts as strong.
    """

    def __init__(
        self,
        *,
        source: Dataset,
        side: SideName = "a",
        sigma: Annotated[float, Gt(0), Le(100)] = 1.5,
        share: Annotated[float, Gt(0), Lt(1)] = 0.2,
    ) -> None:
        super().__init__(source, side, EdgesDerivation(sigma, share))


class EdgesDerivation(NamedTuple):
    """Finds the edges of an image."""

    sigma: float
    share: float
    scale: int = 1

    @property
    def identity(self) -> str:
        """The settings."""
        return f"edges of {self.sigma:g} pixels in {self.share:g}"

    def fault(self, side: ImageSide) -> str | None:  # noqa: ARG002
        """None: all images have edges."""
        return None

    def condition_side(self, side: ImageSide) -> ImageSide:  # noqa: ARG002
        """One channel of 8 bits."""
        return ImageSide(1, dtype="uint8")

    def condition(self, image: NDArray[np.generic], key: str) -> NDArray[np.generic]:  # noqa: ARG002
        """The edges (height, width, 1), 0 on 255."""
        return np.where(edges_of(gray_of(image)[..., 0], self.sigma, self.share), 0, 255).astype(np.uint8)[..., None]

    def from_file(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """The image if it is gray, also as equal bands; otherwise its edges."""
        is_gray = bool((image == image[..., :1]).all())
        return image[..., :1] if is_gray else self.condition(image, "")


def edges_of(image: NDArray[np.generic], sigma: float, share: float) -> NDArray[np.bool_]:
    """True at the edges of an image (height, width)."""
    smooth = gaussian_filter(image.astype(np.float64), sigma, mode="nearest")
    down, right = sobel(smooth, 0, mode="nearest"), sobel(smooth, 1, mode="nearest")
    strength = np.hypot(down, right)
    return _is_ridge(strength, np.arctan2(down, right)) & (strength > np.quantile(strength, 1 - share))


def _is_ridge(strength: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True where the gradient is stronger than at both neighbors in its direction; of two equals, at the first."""
    height, width = strength.shape
    padded = np.pad(strength, 1)
    direction = np.rint(angle / (np.pi / 4)).astype(int) % 4
    ridge = np.zeros(strength.shape, bool)
    for number, (y, x) in enumerate(_DIRECTIONS):
        after = padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        before = padded[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        ridge |= (direction == number) & (strength >= after) & (strength > before)
    return ridge
