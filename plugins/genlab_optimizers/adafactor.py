"""Adafactor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch.nn import Parameter

from genlab import eager_optimizer
from genlab_optimizers.settings import Amount, Positive


@eager_optimizer
class Adafactor(torch.optim.Adafactor):
    """Adam whose second moments are kept by row and column (Shazeer and Stern 2018, arXiv 1804.04235).

    Its state takes next to no memory. PyTorch's, with its defaults: the rate is relative to a weight's size, and at
    most one over the root of the number of updates.

    Args:
        learning_rate: the largest relative rate, before the schedule.
        beta2_decay: exponent of the decay of the second moments, as a power of the number of updates.
        epsilon: least squared gradient, and least size of a weight that the rate is relative to.
        d: root mean square that an update is scaled down to if it is larger.
        weight_decay: share of each weight that an update takes away, times the rate.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        *,
        learning_rate: Positive = 1e-2,
        beta2_decay: Annotated[float, Le(0), Gt(-math.inf)] = -0.8,
        epsilon: tuple[Amount, Amount] = (2**-23, 1e-3),
        d: Annotated[float, Ge(1), Lt(math.inf)] = 1.0,
        weight_decay: Amount = 0.0,
    ) -> None:
        super().__init__(params, learning_rate, beta2_decay, epsilon, d, weight_decay)
