"""Lion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Lt
from genlab import eager_optimizer
from torch.nn import Parameter
from torch.optim import Optimizer

Decay = Annotated[float, Ge(0), Lt(1)]


@eager_optimizer
class Lion(Optimizer):
    """Steps of one size in every weight, by the sign of a running mean of gradients (Chen et al. 2023, 2302.06675).

    It remembers one tensor for each weight, where Adam remembers two. All weights move by the rate, so it is to be some
    three to ten times as small as Adam's, and a decay as many times as large.

    Args:
        learning_rate: how far each weight moves, before the schedule.
        betas: decay of the mean whose sign is taken, and of the one that is kept.
        weight_decay: share of each weight that an update takes away, times the rate.
    """

    def __init__(
        self,
        params: Iterable[Parameter],
        *,
        learning_rate: Annotated[float, Gt(0)] = 1e-4,
        betas: tuple[Decay, Decay] = (0.9, 0.99),
        weight_decay: Annotated[float, Ge(0)] = 0.0,
    ) -> None:
        super().__init__(params, {"lr": learning_rate, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update the weights that have a gradient; a closure is never given."""
        del closure
        for group in self.param_groups:
            (first, second), rate = group["betas"], group["lr"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["mean"] = torch.zeros_like(weight)
                direction = state["mean"].lerp(weight.grad, 1 - first).sign()
                weight.mul_(1 - rate * group["weight_decay"]).sub_(direction, alpha=rate)
                state["mean"].lerp_(weight.grad, 1 - second)
