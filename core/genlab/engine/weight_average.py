"""Average of weights over the steps of a training, beside the weights that are trained."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch

from genlab.config.schema import Settings
from genlab.interfaces.method import Method
from genlab.interfaces.network import Network


class WeightAverage:
    """Exponential moving average (EMA) of the weights of networks, which begins as the plain mean over all steps.

    A step's share in it is that of all steps until now, or that of the horizon, whichever is larger: so the average
    forgets the first weights as soon as a mean does, and never has to be corrected for them. Buffers, such as the
    statistics of batch norm, are not averaged: they are those of the network.

    Args:
        networks: those to average, by role.
        horizon: pairs after which a step's share has fallen to 1/e of what it was.
        pairs: per step.

    Attributes:
        networks: those that are averaged, by role.
        weights: their averages, by role and by the parameter's name; before the first step the weights themselves.
    """

    def __init__(self, networks: Mapping[str, Network], horizon: int, pairs: int) -> None:
        self.networks = networks
        self.weights = {
            role: {name: weight.detach().clone() for name, weight in network.named_parameters()}
            for role, network in networks.items()
        }
        self._share = -math.expm1(-pairs / horizon)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Include the weights of a step, which is counted from 0."""
        share = max(1 / (step + 1), self._share)
        for role, network in self.networks.items():
            for name, weight in network.named_parameters():
                self.weights[role][name].lerp_(weight, share)

    @contextmanager
    def applied(self) -> Generator[None, None, None]:
        """Context in which the networks have the averages as their weights."""
        averaged = [
            (weight, weight.data, self.weights[role][name])
            for role, network in self.networks.items()
            for name, weight in network.named_parameters()
        ]
        try:
            for weight, _, average in averaged:
                weight.data = average
            yield
        finally:
            for weight, trained, _ in averaged:
                weight.data = trained


def make_average(method: Method, settings: Settings) -> WeightAverage | None:
    """The average that a recipe's `[ema]` asks for; None without that table."""
    if settings.ema is None:
        return None
    networks = {role: method.networks[role] for role in settings.ema.roles}
    return WeightAverage(networks, settings.ema.horizon, settings.train.pairs_per_step)
