"""Learning rates of optimizers over a training."""

from __future__ import annotations

from collections.abc import Mapping

from torch.optim import Optimizer
from typing_extensions import override

from genlab.engine.freezing import is_frozen
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network
from genlab.interfaces.position import Position
from genlab.interfaces.schedule import Schedule


def trained_networks(method: Method) -> dict[str, Network]:
    """The networks that a method's phases may update, by role."""
    networks = method.networks.items()
    return {role: network for role, network in networks if method.roles[role].trained and not is_frozen(network)}


class WarmedUp(Schedule):
    """A schedule with a warm-up: over its first n steps, the rate rises linearly to the schedule's, from 1/n of it.

    Args:
        schedule: the schedule.
        share: the share of the training that the warm-up takes.
    """

    def __init__(self, schedule: Schedule, share: float) -> None:
        self.schedule = schedule
        self.share = share

    @override
    def factor(self, position: Position) -> float:
        done, steps = position.step + 1, self.share * position.steps
        return self.schedule.factor(position) * (done / steps if done < steps else 1.0)


def set_rates(optimizers: Mapping[str, Optimizer], schedules: Mapping[str, Schedule], position: Position) -> None:
    """Set the learning rates of a step: each group's own, as its optimizer was made with, times the schedule's factor.

    Args:
        optimizers: by role.
        schedules: likewise.
        position: of the step.
    """
    for role, optimizer in optimizers.items():
        factor = schedules[role].factor(position)
        for group in optimizer.param_groups:
            # As PyTorch's own schedulers call it.
            group["lr"] = factor * group.setdefault("initial_lr", group["lr"])


def rates(optimizers: Mapping[str, Optimizer]) -> dict[str, float]:
    """The learning rate of each optimizer's first group, by role."""
    return {role: float(optimizer.param_groups[0]["lr"]) for role, optimizer in optimizers.items()}
