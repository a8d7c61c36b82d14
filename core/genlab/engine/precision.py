"""The numbers that a step computes with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genlab.interfaces.network import Network
from genlab.settings import Precision as Name

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """Single precision, or mixed: networks' layers in 16 bits; weights, and what networks give, in 32.

    As in Micikevicius et al. 2018 (arXiv 1710.03740). With float16, whose smallest number is 6e-8, an objective is
    scaled up before gradients are taken, and gradients are scaled down before they are used; an update whose gradients
    overflowed is left out, and the scale halved.

    Args:
        name: float32, bfloat16 or float16.
        device: where steps are taken.
    """

    def __init__(self, name: Name, device: torch.device) -> None:
        self._device = device
        self._type = _TYPES[name]
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == "float16")
        # One function a network, for good: compiled code is held to the one that it was compiled from.
        self._forwards: dict[Network, Callable[..., Tensor]] = {}

    @contextmanager
    def applied(self, networks: Collection[Network]) -> Generator[None, None, None]:
        """In this block networks compute in this precision."""
        if self._type == torch.float32:
            yield
            return
        for network in networks:
            setattr(network, "forward", self._forwards.setdefault(network, self._mixed(network.forward)))  # noqa: B010
        try:
            yield
        finally:
            for network in networks:
                delattr(network, "forward")

    def _mixed(self, forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def compute(*given: Tensor) -> Tensor:
            with torch.autocast(self._device.type, self._type):
                return forward(*given).float()

        return compute

    def backward(self, objective: Tensor, parameters: list[nn.Parameter]) -> None:
        """Take an objective's gradients with respect to these parameters and no others."""
        self._scaler.scale(objective).backward(inputs=parameters)

    def unscale(self, optimizers: Iterable[Optimizer]) -> None:
        """Bring gradients to their true size before they are looked at."""
        for optimizer in optimizers:
            self._scaler.unscale_(optimizer)

    def update(self, optimizers: Iterable[Optimizer]) -> None:
        """Let the optimisers use their gradients."""
        for optimizer in optimizers:
            self._scaler.step(optimizer)

    def step_done(self) -> None:
        """Choose the scale of the next step by what was found in this one."""
        if self._scaler.is_enabled():
            self._scaler.update()

    def state(self) -> dict[str, float]:
        """What the next step depends on; nothing but for float16."""
        return {
            name: value for name, value in self._scaler.state_dict().items() if name in ("scale", "_growth_tracker")
        }

    def load_state(self, state: dict[str, float]) -> None:
        """Take back what `state` gave."""
        if self._scaler.is_enabled() and state:
            steps = int(state["_growth_tracker"])
            self._scaler.load_state_dict({**self._scaler.state_dict(), **state, "_growth_tracker": steps})


SINGLE = Precision("float32", torch.device("cpu"))
"""Computes as everything is written."""
