"""Helper of optimizers, whose interface is PyTorch's: `torch.optim.Optimizer`."""

from __future__ import annotations

from inspect import unwrap
from typing import TypeVar

import torch
from torch.optim import Optimizer

OptimizerClass = TypeVar("OptimizerClass", bound=type[Optimizer])


def eager_optimizer(algorithm: OptimizerClass) -> OptimizerClass:
    """Decorator that takes an optimizer's preparations for PyTorch's compiler away: they cost a second of each start.

    They import the compiler when an optimizer is constructed. Networks are compiled here and optimizers are not, so all
    that the preparations do is to turn gradients off.
    """
    for name in ("add_param_group", "state_dict", "load_state_dict"):
        setattr(algorithm, name, unwrap(getattr(algorithm, name)))
    algorithm.step = torch.no_grad()(unwrap(algorithm.step))
    return algorithm
