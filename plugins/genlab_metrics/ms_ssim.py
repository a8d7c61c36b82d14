"""The structural similarity at several scales."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import DataError
from genlab_metrics.mean import MeanOverImages
from genlab_metrics.ssim import WINDOW, similarity

_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, the finest first (Wang et al. 2003)."""

_MIN_SIZE = WINDOW * 2 ** (len(_EXPONENTS) - 1)


class MultiScaleSSIM(MeanOverImages):
    """The structural similarity at five scales (Wang, Simoncelli and Bovik 2003): 1 for equal images.

    Images are halved four times, by means of 2 x 2 pixels. The similarity of contrast and structure at each scale, and
    at the coarsest that of luminance too, are raised to the powers of the paper and multiplied. Windows and constants
    are those of `ssim`. At the finer scales only windows within the image count. A scale at which contrast and
    structure are opposed, on average, makes the score 0. Each image's own value is averaged. Masks are halved as images
    are, and a pixel counts by the share that is left.

    Raises:
        DataError: if images have less than 176 pixels a side, which is a window at the coarsest scale.
    """

    higher_is_better: ClassVar[bool] = True

    @override
    def score_each(
        self,
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"] | None,
    ) -> Float[Tensor, " n"]:
        height, width = target.shape[-2:]
        if min(height, width) < _MIN_SIZE:
            what = f"MS-SSIM compares images of at least {_MIN_SIZE} x {_MIN_SIZE} pixels"
            hint = "Use larger images, or ssim in place of ms_ssim."
            raise DataError(f"{what}, and these have {width} x {height}", hint=hint)
        x, y = (target + 1) / 2, (prediction + 1) / 2
        weight = torch.ones_like(x[:, :1]) if mask is None else mask.float()
        score = torch.ones_like(x[:, 0, 0, 0])
        for exponent in _EXPONENTS[:-1]:
            score = score * _mean(_within(similarity(x, y).structure), _within(weight)) ** exponent
            x, y, weight = (F.avg_pool2d(image, 2) for image in (x, y, weight))
        return score * _mean(similarity(x, y).whole, weight) ** _EXPONENTS[-1]


def _within(image: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d i j"]:
    """The pixels around which a whole window lies in the image."""
    edge = WINDOW // 2
    return image[..., edge:-edge, edge:-edge]


def _mean(similar: Float[Tensor, "n d h w"], weight: Float[Tensor, "n 1 h w"]) -> Float[Tensor, " n"]:
    """The mean over pixels by their weights, at least 0; 1 where none counts."""
    weight = weight.expand_as(similar)
    lost = ((1 - similar) * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp(min=1e-6)
    return (1 - lost).relu()
