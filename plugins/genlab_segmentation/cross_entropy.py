"""Cross-entropy loss of a classifier."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Loss, Predictions


class CrossEntropy(Loss):
    """The mean over pixels of the negative log-probability that the scores' softmax gives to the true class."""

    predictions: ClassVar[Predictions] = "classes"
    is_pixelwise: ClassVar[bool] = True

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return F.cross_entropy(prediction, target)
