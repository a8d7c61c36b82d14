"""One training step: the method's shared forward pass, then its phases."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer
from torch.profiler import record_function

from genlab.engine.freezing import updated_roles
from genlab.engine.phases import due_phases, repetitions
from genlab.engine.precision import Precision, full_precision
from genlab.engine.processes import Processes
from genlab.engine.recompute import recomputed_forward
from genlab.errors import TrainingError
from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Method, Outputs, Phase, Term, Terms
from genlab.interfaces.network import Network

_Forward = Callable[[Batch], Outputs]

RANGE = "genlab: "
"""Prefix of the names of a step's parts in a profile."""


@dataclass(frozen=True)
class StepSettings:
    """Settings that all steps of a training share.

    Args:
        precision: what layers compute in.
        clips: the greatest L2 norm of all gradients of a network, of the roles that have one.
        accumulate: how many batches an update takes, whose gradients are averaged.
        processes: those that average their gradients.
    """

    precision: Precision = field(default_factory=full_precision)
    clips: Mapping[str, float] = field(default_factory=dict[str, float])
    accumulate: int = 1
    processes: Processes = field(default_factory=Processes)


class StepResult(NamedTuple):
    """Result of a step, still on the device.

    Args:
        losses: each term's unweighted value, by `phase/term`; the mean over the batches of an update.
        gradient_norms: by `role/level`; empty unless they were asked for.
        weight_norms: likewise, before the update.
        total_gradient_norms: of all gradients of a network, by role, before they are clipped; likewise.
    """

    losses: dict[str, Tensor]
    gradient_norms: dict[str, Tensor]
    weight_norms: dict[str, Tensor]
    total_gradient_norms: dict[str, Tensor]


def train_step(
    method: Method,
    batches: Iterable[Batch],
    optimizers: Mapping[str, Optimizer],
    with_norms: bool,
    settings: StepSettings | None = None,
) -> StepResult:
    """Make the updates of the phases that take part in a step, in their order.

    Args:
        method: the method.
        batches: those of an update, of which the first says where the training is; then those of the updates that
            phases repeat with others.
        optimizers: by role.
        with_norms: whether to measure norms of gradients and weights.
        settings: by default single precision, one batch, and no clipping.
    """
    settings = settings or StepSettings()
    result, precision, fresh = StepResult({}, {}, {}, {}), settings.precision, iter(batches)
    first = list(islice(fresh, settings.accumulate))
    with precision.applied(method.networks.values()):
        for phase, losses in _updates(method, first, fresh, precision):
            roles = updated_roles(method, phase)
            settings.processes.average_gradients(
                parameter for role in roles for parameter in method.networks[role].parameters()
            )
            updating = [optimizers[role] for role in roles]
            clipped = [role for role in roles if role in settings.clips]
            if with_norms or clipped:
                precision.unscale(updating)
            for role in roles if with_norms else ():
                _add_norms(result, phase, role, method.networks[role])
            for role in clipped:
                clip_grad_norm_(method.networks[role].parameters(), settings.clips[role])
            with record_function(f"{RANGE}{phase.name} update"):
                precision.update(updating)
                with torch.no_grad():
                    method.updated(roles)
            result.losses.update({f"{phase.name}/{name}": loss for name, loss in losses.items()})
    return result


def measure_norms(method: Method, batches: Sequence[Batch], precision: Precision | None = None) -> StepResult:
    """Gradient and weight norms of an update of each phase over these batches, without the updates and the losses."""
    result, precision, phases = StepResult({}, {}, {}, {}), precision or full_precision(), method.phases()
    with precision.applied(method.networks.values()):
        shared = _shared_forward(method, batches, phases)
        for phase in phases:
            _gradients(method, phase, batches, shared, precision)
            for role in updated_roles(method, phase):
                _add_norms(result, phase, role, method.networks[role])
    return result


def _updates(
    method: Method, batches: Sequence[Batch], fresh: Iterator[Batch], precision: Precision
) -> Generator[tuple[Phase, dict[str, Tensor]], None, None]:
    """Yield a phase and its losses for each of its updates, once the networks that it updates have their gradients."""
    phases = due_phases(method.phases(), batches[0].position)
    shared = _shared_forward(method, batches, phases)
    for phase in phases:
        yield phase, _gradients(method, phase, batches, shared, precision)
        for others in repetitions(phase, batches, fresh):
            yield phase, _gradients(method, phase, others, partial(_forward, method), precision)


def _shared_forward(method: Method, batches: Sequence[Batch], phases: Sequence[Phase]) -> _Forward:
    """The forward pass of each of a step's batches, which its phases share, in the memory of one batch."""
    if len(batches) > 1 and len(phases) == 1:
        return partial(_forward, method)
    compute = recomputed_forward if len(batches) > 1 else _forward
    outputs = {id(batch): compute(method, batch) for batch in batches}
    return lambda batch: outputs[id(batch)]


def _forward(method: Method, batch: Batch) -> Outputs:
    with record_function(f"{RANGE}forward"):
        return method.forward(batch)


def _gradients(
    method: Method, phase: Phase, batches: Sequence[Batch], forward: _Forward, precision: Precision
) -> dict[str, Tensor]:
    """Compute the gradients of a phase's objective by the weights that it updates.

    Returns:
        The terms' values; like the gradients, means over the batches.
    """
    for role in phase.updates:
        method.networks[role].zero_grad(set_to_none=True)
    values: dict[str, list[Tensor]] = {}
    for batch in batches:
        for name, value in _backward(method, phase, batch, forward(batch), precision, len(batches)).items():
            values.setdefault(name, []).append(value)
    return {name: torch.stack(found).mean() if len(found) > 1 else found[0] for name, found in values.items()}


def _backward(
    method: Method, phase: Phase, batch: Batch, outputs: Outputs, precision: Precision, count: int
) -> dict[str, Tensor]:
    """Add the gradients of one of `count` batches; returns the values of its terms, without their graph."""
    with record_function(f"{RANGE}{phase.name}"):
        terms = phase.terms(batch, outputs)
        _require_scalars(phase, terms)
        objective = torch.stack([term.weight / count * term.value for term in terms.values()]).sum()
        if not objective.requires_grad:
            raise TrainingError(f"no term of the phase {phase.name} has a gradient: are they all detached?")
        # Naming the inputs skips the gradients of networks that this phase does not update.
        parameters = (parameter for role in phase.updates for parameter in method.networks[role].parameters())
        precision.backward(objective, [parameter for parameter in parameters if parameter.requires_grad])
    return {name: term.value.detach() for name, term in terms.items()}


def _require_scalars(phase: Phase, terms: Terms) -> None:
    if not isinstance(cast(object, terms), Mapping):  # a plugin's, which may be anything
        given = type(terms).__name__
        raise TrainingError(f"the phase {phase.name}: expected its terms by name, in a mapping, got a {given}")
    if not terms:
        raise TrainingError(f"the phase {phase.name} has no terms to minimize")
    for name, term in terms.items():
        if not isinstance(cast(object, term), Term):  # a plugin's, which may be anything
            raise TrainingError(f"the term {phase.name}/{name}: expected a genlab.Term, got a {type(term).__name__}")
        value = cast(object, term.value)
        if not isinstance(value, Tensor) or value.shape != ():
            given = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise TrainingError(f"the loss {phase.name}/{name}: expected a tensor with one value, got {given}")
        if not isinstance(cast(object, term.weight), int | float):
            given = f"got a {type(term.weight).__name__}"
            raise TrainingError(
                f"the weight of {phase.name}/{name}: expected a number, {given}",
                hint="A loss's weight may change: weight.at(batch.position) is the number at a step.",
            )


def _add_norms(result: StepResult, phase: Phase, role: str, network: Network) -> None:
    reached = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    if not reached:
        raise TrainingError(f"no gradient of the phase {phase.name} reaches the {role}: is it detached?")
    result.total_gradient_norms[role] = get_total_norm(reached)
    for level in network.levels():
        parameters = list(level.module.parameters())
        if not parameters:
            continue
        name = f"{role}/{level.name}"
        gradients = [p.grad for p in parameters if p.grad is not None]
        result.gradient_norms[name] = get_total_norm(gradients).to(parameters[0].device)
        result.weight_norms[name] = get_total_norm([p.detach() for p in parameters])
