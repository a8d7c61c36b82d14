"""Reference implementation of a training step in plain PyTorch, the baseline of the benchmark."""

from __future__ import annotations

import torch
from torch.optim import Adam
from torch.profiler import record_function

from genlab.engine.step import RANGE
from genlab.interfaces.method import Batch, Method


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
            role: Adam(network.parameters(), lr=learning_rate, betas=betas) for role, network in method.networks.items()
        }

    def __call__(self, batch: Batch) -> None:
        """One step: forward, and for each phase its loss, the gradients and the update."""
        with record_function(f"{RANGE}forward"):
            shared = self.method.forward(batch)
        for phase in self.method.phases():
            with record_function(f"{RANGE}{phase.name}"):
                for role, network in self.method.networks.items():
                    network.requires_grad_(role in phase.updates)
                terms = phase.terms(batch, shared)
                objective = torch.stack([term.weight * term.value for term in terms.values()]).sum()
                for role in phase.updates:
                    self.optimizers[role].zero_grad()
                objective.backward()
            with record_function(f"{RANGE}{phase.name} update"):
                for role in phase.updates:
                    self.optimizers[role].step()
