"""Causes for which losses do not fall in a training on one batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from genlab.config.validate import bare
from genlab.engine.experiment import Experiment
from genlab.engine.optimizers import trained_networks
from genlab.errors import TrainingError
from genlab.interfaces.listener import StepMetrics
from genlab.interfaces.method import Method
from genlab.tools.overfit.losses import OverfitLoss, loss_label, phase_of

_LEAST_SHARE = 1e-3
_LEAST_MOVE = 1e-3


def require_gradients(method: Method, losses: Iterable[str], values: StepMetrics) -> None:
    """Raise a `TrainingError` for a network without gradients in the first step."""
    for role in _learning_roles(method, losses):
        norms = [norm for level, norm in values.gradient_norms.items() if level.startswith(f"{role}/")]
        if norms and not any(norms):
            what = f"all gradients of the {role} are 0 in the first step, so it cannot learn"
            hint = (
                "Does its output depend on its weights? A `detach`, a `round` or a saturated `clamp` stops gradients."
            )
            raise TrainingError(what, hint=hint)


def require_weight(method: Method, losses: Mapping[str, OverfitLoss], values: StepMetrics) -> None:
    """Raise a `TrainingError` for a loss that hardly counts among those of its phase."""
    parts = {
        term: method.losses[loss_label(term)].weight.to * abs(value)
        for term, value in values.losses.items()
        if loss_label(term) in method.losses
    }
    for term in losses.keys() & parts.keys():
        share = parts[term] / (sum(part for name, part in parts.items() if phase_of(name) == phase_of(term)) or 1)
        if share < _LEAST_SHARE:
            key = f"losses.{bare(loss_label(term))}.weight"
            what = f"the loss {term} is {share:.1e} of what its phase minimizes, so nothing is learned from it"
            raise TrainingError(what, hint=f"Raise {key}, or leave the loss out with {key} = 0.")


def require_fall(
    experiment: Experiment, losses: Mapping[str, OverfitLoss], steps: int, before: Mapping[str, Sequence[Tensor]]
) -> None:
    """Raise a `TrainingError` for losses that have not fallen, with what the weights did."""
    stuck = {term: loss for term, loss in losses.items() if not loss.has_fallen}
    if not stuck:
        return
    what = "; ".join(f"{term} was {loss.first:.4g}, and is {loss.last:.4g}" for term, loss in stuck.items())
    moves = {role: _move(experiment, role, before[role]) for role in _learning_roles(experiment.method, stuck)}
    role, least = min(moves.items(), key=lambda item: item[1])
    if least < _LEAST_MOVE:
        weights = ", ".join(f"losses.{bare(loss_label(term))}.weight" for term in stuck)
        hint = f"The weights of the {role} moved by {least:.1e} of their size: raise the learning rate, or {weights}."
    else:
        hint = (
            "The weights do change: if the loss goes up and down, lower the learning rate; if it falls slowly, raise "
            "it; if another loss outweighs it, change their weights; if nothing helps, the network is too small."
        )
    raise TrainingError(f"{steps} steps on a single batch did not drive the loss down: {what}", hint=hint)


def trained_weights(method: Method) -> dict[str, list[Tensor]]:
    """Copies of the weights of the networks that are trained, by role."""
    return {
        role: [weight.detach().clone() for weight in network.parameters()]
        for role, network in trained_networks(method).items()
    }


def _learning_roles(method: Method, losses: Iterable[str]) -> list[str]:
    """The roles that phases with these terms update."""
    phases = set(map(phase_of, losses))
    return list(dict.fromkeys(role for phase in method.phases() if phase.name in phases for role in phase.updates))


def _move(experiment: Experiment, role: str, before: Sequence[Tensor]) -> float:
    """Distance of a network's weights from those before, as a part of their norm."""
    after = [weight.detach() for weight in experiment.networks[role].parameters()]
    changes = [new - old for new, old in zip(after, before, strict=True)]
    return float(get_total_norm(changes) / get_total_norm(before).clamp(min=torch.finfo(torch.float32).tiny))
