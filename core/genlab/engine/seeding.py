"""Reproducibility: RNG state as a function of the seed, by parameter name for weights and by step for the rest."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

from genlab.interfaces.network import Network


def derived_seed(*parts: object) -> int:
    """Derive a seed from `parts`, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def initialize(network: Network, seed: int, role: str) -> None:
    """Initialize each parameter with its own generator, seeded by run, role and name."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            rng = torch.Generator().manual_seed(derived_seed(seed, role, name))
            network.initialize(name, parameter, rng)


def seed_random_numbers(seed: int, device: torch.device) -> None:
    """Seed all that a training may draw from: the generators of PyTorch (of the CPU and the device), Python and NumPy.

    Done at each step, this makes what is drawn there a function of the step alone: whatever was drawn before, by
    listeners, metrics or predictions, makes no difference, and a checkpoint needs no generator's state.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


@contextmanager
def isolated_rng(device: torch.device) -> Generator[None, None, None]:
    """Context that saves and restores the caller's RNG state.

    On an Apple GPU only the CPU's is restored, as PyTorch cannot fork the others.
    """
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def seeded_construction(seed: int, role: str) -> Generator[None, None, None]:
    """Context in which constructors draw from CPU random numbers seeded by seed and role."""
    cpu = torch.device("cpu")
    with isolated_rng(cpu):
        seed_random_numbers(derived_seed(seed, role), cpu)
        yield
