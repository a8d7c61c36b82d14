"""Adam."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from genlab import eager_optimizer
from genlab_optimizers.fused import takes_fused
from genlab_optimizers.settings import Amount, Decay, Positive


@eager_optimizer
class Adam(torch.optim.Adam):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980), in PyTorch's fused kernel. The defaults are those of pix2pix.

    Args:
        learning_rate: the rate before the schedule.
        betas: decay of the running means of gradient and squared gradient.
        epsilon: added to the denominator.
        weight_decay: L2 penalty, whose gradient is added to that of the losses.
        amsgrad: divide by the largest running mean so far (Reddi et al. 2018).
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        *,
        learning_rate: Positive = 2e-4,
        betas: tuple[Decay, Decay] = (0.5, 0.999),
        epsilon: Positive = 1e-8,
        weight_decay: Amount = 0.0,
        amsgrad: bool = False,
    ) -> None:
        weights = list(params)
        super().__init__(weights, learning_rate, betas, epsilon, weight_decay, amsgrad, fused=takes_fused(weights))
