"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter

from genlab import eager_optimizer
from genlab_optimizers.settings import Amount, Positive, UpToOne


@eager_optimizer
class SGD(torch.optim.SGD):
    """Stochastic gradient descent, with momentum if asked for; PyTorch's, with its defaults.

    Args:
        learning_rate: the rate before the schedule.
        momentum: share of the last update that the next one keeps.
        dampening: share of the gradient that the momentum leaves out.
        weight_decay: L2 penalty, whose gradient is added to that of the losses.
        nesterov: look ahead along the momentum; needs one, and no dampening.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        *,
        learning_rate: Positive = 1e-3,
        momentum: Amount = 0.0,
        dampening: UpToOne = 0.0,
        weight_decay: Amount = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0, and a dampening of 0")
        super().__init__(params, learning_rate, momentum, dampening, weight_decay, nesterov)
