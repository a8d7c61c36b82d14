"""The peak signal-to-noise ratio."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab_metrics.mean import MeanOverPixels

LIMIT = 100.0
_RANGE = 2.0


class PSNR(MeanOverPixels):
    """The peak signal-to-noise ratio in decibels, 10 log10 of the squared range over the mean squared error.

    Each image's own value is averaged. It is cut off at 100 dB (an error of 0.00002 in [-1, 1]; one step of 8 bits
    everywhere is 48 dB), so that one image without any error does not make the mean infinite.
    """

    higher_is_better: ClassVar[bool] = True

    @override
    def compare(
        self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n d h w"]:
        return (prediction - target).square()

    @override
    def score(self, mean: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return (10 * (_RANGE**2 / mean).log10()).clamp(max=LIMIT)
