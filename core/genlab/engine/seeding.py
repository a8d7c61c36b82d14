"""Initial weights, seeded so that variants of a network can be compared."""

from __future__ import annotations

import hashlib

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
