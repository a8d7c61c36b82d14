"""Optimizers for networks that no recipe names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from genlab import Network
from genlab_optimizers.adam import Adam


def adam(networks: Mapping[str, Network], **settings: Any) -> dict[str, Optimizer]:
    """One for each network, by role, with the settings that a recipe may give it."""
    return {role: Adam(network.parameters(), **settings) for role, network in networks.items()}
