"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from genlab import eager_optimizer
from genlab_optimizers.settings import Amount, Decay, Positive


@eager_optimizer
class RMSprop(torch.optim.RMSprop):
    """Gradients over the root of the running mean of their squares; PyTorch's, with its defaults.

    WGANs with clipped weights were trained with it (Arjovsky et al. 2017, arXiv 1701.07875).

    Args:
        learning_rate: the rate before the schedule.
        alpha: decay of the running mean of the squared gradient.
        epsilon: added to the denominator.
        weight_decay: L2 penalty, whose gradient is added to that of the losses.
        momentum: share of the last update that the next one keeps.
        centered: divide by an estimate of the gradient's standard deviation instead.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        *,
        learning_rate: Positive = 1e-2,
        alpha: Decay = 0.99,
        epsilon: Positive = 1e-8,
        weight_decay: Amount = 0.0,
        momentum: Amount = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(params, learning_rate, alpha, epsilon, weight_decay, momentum, centered)
