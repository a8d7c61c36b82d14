"""Snapshot of what a forward pass changes besides its outputs."""

from __future__ import annotations

from genlab.engine.train_state import modules_of
from genlab.interfaces.method import Method


class Snapshot:
    """Copy of the buffers of a method's networks and losses, and of the method's own state."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._buffers = [(buffer, buffer.clone()) for module in modules_of(method) for buffer in module.buffers()]
        self._state = {name: tensor.clone() for name, tensor in method.state().items()}

    def restore(self) -> None:
        """Set everything back to what it was."""
        for buffer, value in self._buffers:
            # By `data`, so that graphs which have saved a buffer stay valid: no gradient depends on a statistic.
            buffer.data.copy_(value)
        self._method.load_state({name: tensor.clone() for name, tensor in self._state.items()})
