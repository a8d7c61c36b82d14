"""Optimizers and their learning-rate schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from inspect import unwrap

import torch
from torch.optim import Adam, AdamW, Optimizer

from genlab.config import schema
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network


def _eager(algorithm: type[Adam]) -> type[Adam]:
    """The algorithm without its decorators for PyTorch's compiler, which import it: a second of every start.

    Networks are compiled and optimizers are not, so all that the decorators do here is to turn gradients off.
    """
    methods = {name: unwrap(getattr(algorithm, name)) for name in ("add_param_group", "state_dict", "load_state_dict")}
    return type(algorithm.__name__, (algorithm,), {**methods, "step": torch.no_grad()(unwrap(algorithm.step))})


_ALGORITHMS = {"adam": _eager(Adam), "adamw": _eager(AdamW)}


def trained_networks(method: Method) -> dict[str, Network]:
    """The networks that a method's phases may update, by role."""
    return {role: network for role, network in method.networks.items() if method.roles[role].trained}


def make_optimizers(
    networks: Mapping[str, Network], chosen: schema.Optimizer, device: torch.device
) -> dict[str, Optimizer]:
    """One optimizer for each network, by role."""
    return {
        role: _ALGORITHMS[chosen.name](
            network.parameters(),
            lr=chosen.learning_rate,
            betas=chosen.betas,
            eps=chosen.epsilon,
            weight_decay=chosen.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        for role, network in networks.items()
    }


def set_rates(optimizers: Mapping[str, Optimizer], rate: float) -> None:
    """Set the learning rate of every optimizer."""
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = rate


def rate_at(step: int, steps: int, base: float, schedule: schema.Schedule) -> float:
    """Learning rate of a step, counted from 0, out of `steps`."""
    first = schedule.start * steps
    if step < first:
        return base
    progress = (step - first) / (steps - first)
    return base * (schedule.end + (1 - schedule.end) * _SHAPES[schedule.name](progress))


_SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda _progress: 1.0,
    "linear": lambda progress: 1.0 - progress,
    # Loshchilov and Hutter 2017, equation 5, without restarts.
    "cosine": lambda progress: (1.0 + math.cos(math.pi * progress)) / 2,
}
