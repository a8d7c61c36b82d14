"""Reference implementation of a training step in plain PyTorch, the baseline of the benchmark."""

from __future__ import annotations

import torch
from torch.optim import Adam
from torch.profiler import record_function

from genlab.engine.optimizers import trained_networks
from genlab.engine.phases import due_phases
from genlab.engine.step import RANGE
from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Method, Outputs, Phase
from genlab.interfaces.position import Position


class PlainStep:
    """Eager single precision, with PyTorch's own layers and its default Adam.

    Args:
        method: the method to train, on networks that are made plain.
        learning_rate: Adam's.
        betas: Adam's.
    """

    def __init__(self, method: Method, learning_rate: float, betas: tuple[float, float]) -> None:
        self.method = method
        for network in method.networks.values():
            network.make_plain()
            network.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
        self.optimizers = {
            role: Adam(network.parameters(), lr=learning_rate, betas=betas)
            for role, network in trained_networks(method).items()
        }
        self.steps = 0

    def __call__(self, batch: Batch) -> None:
        """One step: forward, and for each update of each phase its loss, the gradients and the update."""
        batch = batch._replace(position=Position(self.steps, self.steps + 1))
        self.method.begin(batch.position)
        shared = self._forward(batch)
        for phase in due_phases(self.method.phases(), batch.position):
            self._update(phase, batch, shared)
            for _ in range(1, phase.repeats):
                self._update(phase, batch, self._forward(batch))
        self.steps += 1

    def _forward(self, batch: Batch) -> Outputs:
        with record_function(f"{RANGE}forward"):
            return self.method.forward(batch)

    def _update(self, phase: Phase, batch: Batch, shared: Outputs) -> None:
        with record_function(f"{RANGE}{phase.name}"):
            for role in self.optimizers:
                self.method.networks[role].requires_grad_(role in phase.updates)
            terms = phase.terms(batch, shared)
            objective = torch.stack([term.weight * term.value for term in terms.values()]).sum()
            for role in phase.updates:
                self.optimizers[role].zero_grad()
            objective.backward()
        with record_function(f"{RANGE}{phase.name} update"):
            for role in phase.updates:
                self.optimizers[role].step()
            with torch.no_grad():
                self.method.updated(phase.updates)
