"""Mixed precision (AMP: autocast and loss scaling)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_map_only

from genlab.config.schema import PrecisionName
from genlab.interfaces.network import Network

Forward = Callable[..., Any]
Transform = Callable[[Forward], Forward]

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """Single or mixed precision: layers compute in 16 bits under autocast; weights and outputs stay in 32.

    As in Micikevicius et al. 2018 (arXiv 1710.03740). With float16, whose smallest number is 6e-8, an objective is
    scaled up before gradients are taken, and gradients are scaled down before they are used; an update whose gradients
    overflowed is left out, and the scale halved.

    Args:
        name: float32, bfloat16 or float16.
        device: where steps are taken.
    """

    def __init__(self, name: PrecisionName, device: torch.device) -> None:
        self._device = device
        self._type = _TYPES[name]
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == "float16")
        self._transform: Transform | None = None
        # One function per network: compiled code is cached by the function that it was compiled from.
        self._forwards: dict[Network, Forward] = {}

    def transform(self, transform: Transform | None) -> None:
        """Wrap networks' forward passes, such as by a compiler; None removes the wrapper."""
        self._transform = transform
        self._forwards.clear()

    @contextmanager
    def applied(self, networks: Collection[Network]) -> Generator[None, None, None]:
        """Context in which networks compute in this precision, with the transformation applied."""
        if self._type == torch.float32 and self._transform is None:
            yield
            return
        # Restore a forward pass that was set on the instance.
        before = [(network, vars(network).get("forward")) for network in networks]
        for network in networks:
            if network not in self._forwards:
                mixed = self._mixed(network.forward)
                self._forwards[network] = self._transform(mixed) if self._transform else mixed
            setattr(network, "forward", self._forwards[network])  # noqa: B010
        try:
            yield
        finally:
            for network, own in before:
                if own is None:
                    delattr(network, "forward")
                else:
                    setattr(network, "forward", own)  # noqa: B010

    def _mixed(self, forward: Forward) -> Forward:
        if self._type == torch.float32:
            return forward

        def compute(*given: Tensor, **named: Tensor) -> Any:
            with torch.autocast(self._device.type, self._type):
                return tree_map_only(Tensor, Tensor.float, forward(*given, **named))

        return compute

    def backward(self, objective: Tensor, parameters: list[nn.Parameter]) -> None:
        """Compute an objective's gradients with respect to these parameters only."""
        self._scaler.scale(objective).backward(inputs=parameters)

    def unscale(self, optimizers: Iterable[Optimizer]) -> None:
        """Unscale gradients before they are read."""
        for optimizer in optimizers:
            self._scaler.unscale_(optimizer)

    def update(self, optimizers: Iterable[Optimizer]) -> None:
        """Step the optimizers unless gradients overflowed, and update the loss scale."""
        for optimizer in optimizers:
            self._scaler.step(optimizer)
        if self._scaler.is_enabled():
            self._scaler.update()

    def state(self) -> dict[str, float]:
        """State of the loss scaling for checkpoints; empty except for float16."""
        return {
            name: value for name, value in self._scaler.state_dict().items() if name in ("scale", "_growth_tracker")
        }

    def load_state(self, state: dict[str, float]) -> None:
        """Restore the state of `state`."""
        if self._scaler.is_enabled() and state:
            steps = int(state["_growth_tracker"])
            self._scaler.load_state_dict({**self._scaler.state_dict(), **state, "_growth_tracker": steps})


def full_precision() -> Precision:
    """Single precision: computes in the types of weights and inputs."""
    return Precision("float32", torch.device("cpu"))
