"""Random numbers that predictions draw."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]
from torch.utils._python_dispatch import TorchDispatchMode
from typing_extensions import override


class RandomDraws(TorchDispatchMode):
    """Mode that lists the operators which draw random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: list[str] = []

    @override
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.operators.append(str(func))
        return func(*args, **(kwargs or {}))


def has_dropout(network: nn.Module) -> bool:
    """True for a network with a dropout layer that drops anything."""
    return any(isinstance(layer, _DropoutNd) and layer.p > 0 for layer in network.modules())
