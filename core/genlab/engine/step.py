"""One training step: the method's shared forward pass, then its phases."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer
from torch.profiler import record_function

from genlab.engine.precision import Precision, full_precision
from genlab.errors import TrainingError
from genlab.interfaces.method import Batch, Method, Phase, Term, Terms
from genlab.interfaces.network import Network

RANGE = "genlab: "
"""Prefix of the names of a step's parts in a profile."""


class StepResult(NamedTuple):
    """Result of a step, still on the device.

    Args:
        losses: each term's unweighted value, by `phase/term`.
        gradient_norms: by `role/level`; empty unless they were asked for.
        weight_norms: likewise, before the update.
    """

    losses: dict[str, Tensor]
    gradient_norms: dict[str, Tensor]
    weight_norms: dict[str, Tensor]


def train_step(
    method: Method,
    batch: Batch,
    optimizers: Mapping[str, Optimizer],
    with_norms: bool,
    precision: Precision | None = None,
) -> StepResult:
    """Update the networks once, in the order of the method's phases."""
    result, precision = StepResult({}, {}, {}), precision or full_precision()
    with precision.applied(method.networks.values()):
        for phase, terms in _backward(method, batch, precision):
            updating = [optimizers[role] for role in phase.updates]
            if with_norms:
                precision.unscale(updating)
                for role in phase.updates:
                    _add_norms(result, phase, role, method.networks[role])
            with record_function(f"{RANGE}{phase.name} update"):
                precision.update(updating)
            result.losses.update({f"{phase.name}/{name}": term.value.detach() for name, term in terms.items()})
    return result


def measure_norms(method: Method, batch: Batch, precision: Precision | None = None) -> StepResult:
    """Gradient and weight norms of a step, without its updates and losses."""
    result, precision = StepResult({}, {}, {}), precision or full_precision()
    with precision.applied(method.networks.values()):
        for phase, _ in _backward(method, batch, precision):
            for role in phase.updates:
                _add_norms(result, phase, role, method.networks[role])
    return result


def _backward(method: Method, batch: Batch, precision: Precision) -> Generator[tuple[Phase, Terms], None, None]:
    """Yield each phase once the networks that it updates have their gradients."""
    with record_function(f"{RANGE}forward"):
        shared = method.forward(batch)
    for phase in method.phases():
        with record_function(f"{RANGE}{phase.name}"):
            terms = phase.terms(batch, shared)
            _require_scalars(phase, terms)
            objective = torch.stack([term.weight * term.value for term in terms.values()]).sum()
            if not objective.requires_grad:
                raise TrainingError(f"no term of the phase {phase.name} has a gradient: are they all detached?")
            networks = [method.networks[role] for role in phase.updates]
            for network in networks:
                network.zero_grad(set_to_none=True)
            # Naming the inputs skips the gradients of networks that this phase does not update.
            parameters = (parameter for network in networks for parameter in network.parameters())
            precision.backward(objective, [parameter for parameter in parameters if parameter.requires_grad])
        yield phase, terms


def _require_scalars(phase: Phase, terms: Terms) -> None:
    if not terms:
        raise TrainingError(f"the phase {phase.name} has no terms to minimize")
    for name, term in terms.items():
        if not isinstance(cast(object, term), Term):  # a plugin's, which may be anything
            raise TrainingError(f"the term {phase.name}/{name}: expected a genlab.Term, got a {type(term).__name__}")
        value = cast(object, term.value)
        if not isinstance(value, Tensor) or value.shape != ():
            given = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise TrainingError(f"the loss {phase.name}/{name}: expected a tensor with one value, got {given}")


def _add_norms(result: StepResult, phase: Phase, role: str, network: Network) -> None:
    if all(parameter.grad is None for parameter in network.parameters()):
        raise TrainingError(f"no gradient of the phase {phase.name} reaches the {role}: is it detached?")
    for level in network.levels():
        parameters = list(level.module.parameters())
        if not parameters:
            continue
        name = f"{role}/{level.name}"
        gradients = [p.grad for p in parameters if p.grad is not None]
        result.gradient_norms[name] = get_total_norm(gradients).to(parameters[0].device)
        result.weight_norms[name] = get_total_norm([p.detach() for p in parameters])
