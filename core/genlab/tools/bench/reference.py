"""Reference implementation of a training step in plain PyTorch, the baseline of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.optim import Optimizer
from torch.profiler import record_function

from genlab.engine.phases import due_phases
from genlab.engine.step import RANGE
from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Method, Outputs, Phase
from genlab.interfaces.position import Position


class PlainStep:
    """Eager single precision, with PyTorch's own layers and optimizers as it runs them by default.

    Args:
        method: the method to train, on networks that are made plain.
        optimizers: by role; those in fused kernels are made plain, too.
    """

    def __init__(self, method: Method, optimizers: Mapping[str, Optimizer]) -> None:
        self.method = method
        for network in method.networks.values():
            network.make_plain()
            network.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
        self.optimizers = optimizers
        for group in (group for optimizer in optimizers.values() for group in optimizer.param_groups):
            group.update({"fused": None} if "fused" in group else {})
        self.weights = {
            role: [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
            for role, optimizer in optimizers.items()
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
            for role, weights in self.weights.items():
                for weight in weights:
                    weight.requires_grad_(role in phase.updates)
            terms = phase.terms(batch, shared)
            objective = torch.stack([term.weight * term.value for term in terms.values()]).sum()
            updated = [role for role in phase.updates if role in self.optimizers]
            for role in updated:
                self.optimizers[role].zero_grad()
            objective.backward()
        with record_function(f"{RANGE}{phase.name} update"):
            for role in updated:
                self.optimizers[role].step()
            with torch.no_grad():
                self.method.updated(updated)
