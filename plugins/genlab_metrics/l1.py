"""The mean absolute error."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab_metrics.mean import MeanOverPixels


class L1(MeanOverPixels):
    """The mean absolute error of images in [-1, 1]: 0 where they are equal, 2 at most."""

    higher_is_better: ClassVar[bool] = False

    @override
    def compare(
        self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n d h w"]:
        return (prediction - target).abs()
