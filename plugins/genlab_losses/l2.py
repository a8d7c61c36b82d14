"""L2 loss: mean squared difference."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Loss


class L2(Loss):
    """The mean squared difference of prediction and target, 0 to 4 (Pathak et al. 2016, arXiv 1604.07379, equation 1).

    It blurs more than L1 (Isola et al. 2017, section 3.1).
    """

    is_pixelwise: ClassVar[bool] = True

    @override
    def forward(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Float[Tensor, ""]:
        return F.mse_loss(prediction, target)
