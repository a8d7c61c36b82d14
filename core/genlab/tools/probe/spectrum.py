"""Share of fine detail in an image."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor


def high_frequency_energy(images: Float[Tensor, "n c h w"]) -> Float[np.ndarray, " n"]:
    """The energy of each image in the upper half of spatial frequencies: the mean square of what they add to a pixel.

    Frequencies are those of a cosine transform, which does not take an image's borders for edges as Fourier's does. A
    frequency is in the upper half if it is so across or down: if its period is four pixels or less.
    """
    from scipy.fft import dctn  # takes a fifth of a second, which only a probe should

    values = images.detach().double().cpu().numpy()
    coefficients: NDArray[np.float64] = np.asarray(dctn(values, axes=(2, 3), norm="ortho"))
    height, width = values.shape[2:]
    coefficients[:, :, : (height + 1) // 2, : (width + 1) // 2] = 0
    return np.square(coefficients).sum(axis=(1, 2, 3)) / values[0].size
