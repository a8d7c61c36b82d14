"""Random numbers as functions of the seed: first weights by their name, everything else by the step."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

from genlab.interfaces.network import Network


def derived_seed(*parts: object) -> int:
    """A seed that is a function of `parts` alone, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def initialize(network: Network, seed: int, role: str) -> None:
    """Let the network draw each parameter from a generator of its own, seeded by run, role and name."""
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
    """Whatever is drawn in this block, the caller's random numbers go on as if nothing had been.

    On an Apple GPU those of the CPU alone, as PyTorch cannot fork the others.
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
    """Make what a constructor draws in this block, on the CPU, a function of seed and role alone."""
    cpu = torch.device("cpu")
    with isolated_rng(cpu):
        seed_random_numbers(derived_seed(seed, role), cpu)
        yield
