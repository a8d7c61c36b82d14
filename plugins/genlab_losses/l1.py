"""L1 loss: mean absolute difference."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Loss


class L1(Loss):
    """The mean absolute difference of prediction and target, 0 to 2 (Isola et al. 2017, equation 3)."""

    is_pixelwise: ClassVar[bool] = True

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return F.l1_loss(prediction, target)
