"""State of a training, which changes from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.optim import Optimizer

from genlab.engine.weight_average import WeightAverage
from genlab.interfaces.method import Method


@dataclass(frozen=True)
class TrainState:
    """Everything that training changes: networks, losses, optimizers, and the average of weights if there is one."""

    method: Method
    optimizers: Mapping[str, Optimizer]
    average: WeightAverage | None = None


def modules_of(method: Method) -> list[nn.Module]:
    """A method's networks and losses."""
    return [*method.networks.values(), *(loss for loss, _ in method.losses.values())]


def saved_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Buffers in a module's state."""
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    state: dict[str, Tensor] = module.state_dict()
    return {name: tensor for name, tensor in state.items() if name not in parameters}
