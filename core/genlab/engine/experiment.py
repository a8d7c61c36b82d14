"""Everything that a training needs, ready to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from genlab.config.schema import Settings
from genlab.data.prepared import PreparedPairs
from genlab.interfaces.listener import Listener
from genlab.interfaces.method import Method
from genlab.interfaces.metric import Metric
from genlab.interfaces.network import Network


@dataclass(frozen=True)
class Experiment:
    """Input of `engine.loop.train`.

    Args:
        settings: the framework's tables.
        method: the method, with its networks and losses in place.
        training: the training pairs, at the size that crops are taken from.
        validation: the validation pairs, at the size that the networks see.
        unaugmented: the training pairs at that size, for the gap between training and validation.
        metrics: by the recipe's label.
        listeners: by the recipe's label.
        device: where the networks are.
    """

    settings: Settings
    method: Method
    training: PreparedPairs
    validation: PreparedPairs
    unaugmented: PreparedPairs
    metrics: Mapping[str, Metric]
    listeners: Sequence[tuple[str, Listener]]
    device: torch.device

    @property
    def networks(self) -> Mapping[str, Network]:
        """Networks by role, on `device`."""
        return self.method.networks
