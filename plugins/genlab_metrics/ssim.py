"""The structural similarity."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import DataError
from genlab_metrics.mean import MeanOverPixels

WINDOW = 11
_DEVIATION = 1.5
_K1, _K2 = 0.01, 0.03


class SSIM(MeanOverPixels):
    """The structural similarity (Wang et al. 2004): 1 for equal images, around 0 for images with nothing in common.

    Windows are Gaussian, 11 pixels wide with a standard deviation of 1.5; K1 is 0.01 and K2 0.03. Images are moved
    to [0, 1] first, as the similarity of means is defined for intensities that start at 0, and reflected at their
    borders. Each image's own value, the mean over its pixels and channels, is averaged. Windows around pixels that
    count also see those that do not, at which both images agree.

    Raises:
        DataError: if images are smaller than a window.
    """

    higher_is_better: ClassVar[bool] = True

    @override
    def compare(
        self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n d h w"]:
        height, width = target.shape[-2:]
        if min(height, width) < WINDOW:
            raise DataError(
                f"SSIM compares windows of {WINDOW} x {WINDOW} pixels, and the images have {width} x {height}",
                hint="Use larger images, or leave ssim out of the metrics.",
            )
        return similarity((target + 1) / 2, (prediction + 1) / 2).whole


class Similarity(NamedTuple):
    """Similarity of the windows around each pixel.

    Args:
        whole: of luminance, contrast and structure.
        structure: of contrast and structure alone.
    """

    whole: Float[Tensor, "n d h w"]
    structure: Float[Tensor, "n d h w"]


def similarity(x: Float[Tensor, "n d h w"], y: Float[Tensor, "n d h w"]) -> Similarity:
    """The similarity of the windows around each pixel: equation 13 of Wang et al. 2004, for intensities in [0, 1]."""
    mean_x, mean_y, square_x, square_y, product = _window_means(torch.stack([x, y, x * x, y * y, x * y]))
    variances = (square_x - mean_x**2).clamp(min=0) + (square_y - mean_y**2).clamp(min=0)
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _K1**2) / (mean_x**2 + mean_y**2 + _K1**2)
    agreement, most = 2 * covariance + _K2**2, variances + _K2**2
    return Similarity(luminance * agreement / most, agreement / most)


def _window_means(images: Float[Tensor, "k n d h w"]) -> Float[Tensor, "k n d h w"]:
    """The weighted mean of the window around each pixel, first down and then across, which costs less than at once."""
    reach = WINDOW // 2
    distances = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    weights = (-(distances**2) / (2 * _DEVIATION**2)).exp()
    weights /= weights.sum()
    # As channels of one image: a depthwise convolution is many times as fast as one of many images.
    planes = F.pad(images.flatten(0, 2).unsqueeze(0), (reach,) * 4, mode="reflect")
    count = planes.shape[1]
    down = F.conv2d(planes, weights.view(1, 1, -1, 1).expand(count, -1, -1, -1), groups=count)
    means = F.conv2d(down, weights.view(1, 1, 1, -1).expand(count, -1, -1, -1), groups=count)
    return means.view(images.shape)
