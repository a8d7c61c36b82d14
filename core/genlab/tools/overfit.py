"""A training on one batch, whose losses must fall if what is to be trained can learn at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from typing_extensions import override

from genlab.assemble.read import CheckedRecipe, read_recipe, with_overrides
from genlab.config.validate import bare
from genlab.engine.experiment import Experiment
from genlab.engine.listener_list import ListenerList
from genlab.engine.optimizers import trained_networks
from genlab.engine.runtime import memory_errors
from genlab.engine.training import Training
from genlab.errors import TrainingError
from genlab.interfaces.listener import Listener, Step, StepMetrics
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Method, Phase
from genlab.registry.discovery.trust import trusting
from genlab.runs.starting_weights import build_with_weights
from genlab.util.arguments import at_least

FALL = 0.75
"""The part of its first value to which a loss must fall; noise and a layer that learns alone do less."""
_LAST = 5
_LEAST_SHARE = 1e-3
_LEAST_MOVE = 1e-3


@dataclass(frozen=True)
class OverfitLoss:
    """A loss in a training on one batch.

    Args:
        first: its value at the first step.
        last: the mean of its values at the last few steps.
    """

    first: float
    last: float

    @property
    def has_fallen(self) -> bool:
        """True if it fell to `FALL` of its first value."""
        return self.last <= FALL * self.first


@dataclass(frozen=True)
class Overfit:
    """A training on one batch that drove its losses down.

    Args:
        steps: how many steps that took.
        losses: those that compare a prediction with a target, by `phase/term`.
    """

    steps: int
    losses: Mapping[str, OverfitLoss]


def overfit(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    steps: int = 300,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Overfit:
    """Train on a recipe's first batch alone, which must drive its losses down; nothing of it is kept.

    Schedules follow a training of that length.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        steps: the most steps to take; it ends as soon as the losses have fallen by a quarter.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_progress: called with (done, total), in steps.

    Raises:
        TrainingError: a loss does not fall, has next to no weight, or none compares a prediction with a target.
        GenlabError: another of its kinds, for everything that a person can mend.
    """
    at_least(1, steps, "steps")
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        return _overfit(checked, steps, on_progress)


def _overfit(checked: CheckedRecipe, steps: int, on_progress: Callable[[int, int], None]) -> Overfit:
    shortened = with_overrides(checked, [f"train.steps={steps}", "train.values_every=1", "train.compile=false"])
    with memory_errors(), TemporaryDirectory() as folder:
        experiment = build_with_weights(shortened)[0].experiment
        values = _Values()
        training = Training(experiment, None, Path(folder), ListenerList([("overfit", values)]), lambda: False)
        before = _trained_weights(experiment.method)
        losses: dict[str, OverfitLoss] = {}
        with training.ready() as batches:
            batch = next(batches)
            while training.step < steps:
                training.advance(training.next_batches(repeat(batch)))
                losses = _losses(values.all, _compared_terms(experiment.method, values.all[0].losses))
                if training.step == 1:
                    _require_gradients(experiment.method, losses, values.all[0])
                    _require_weight(experiment.method, losses, values.all[0])
                on_progress(training.step, steps)
                if training.step > _LAST and all(loss.has_fallen for loss in losses.values()):
                    break
    on_progress(steps, steps)
    _require_fall(experiment, losses, training.step, before)
    return Overfit(training.step, losses)


class _Values(Listener):
    """The values of all steps."""

    def __init__(self) -> None:
        self.all: list[StepMetrics] = []

    @override
    def step(self, event: Step) -> None:
        assert event.values
        self.all.append(event.values)


def _compared_terms(method: Method, terms: Iterable[str]) -> list[str]:
    """The terms, `phase/term`, that compare a prediction with a target, and so can fall to little on one batch.

    They are those of losses that do; without any, those that a method has of its own, but not a discriminator's.
    """
    games = {phase.name for phase in method.phases() if _updates_discriminator(method, phase)}
    losses = {label: loss for label, (loss, _) in method.losses.items()}
    compared = [term for term in terms if isinstance(losses.get(_label(term)), Loss)]
    found = compared or [term for term in terms if _label(term) not in losses and _phase(term) not in games]
    if not found:
        what = f"no loss compares a prediction with a target, so none of {', '.join(terms)} must fall on one batch"
        hint = "Adversarial losses are a game, in which one side's loss rises. Add one for this check, such as l1: "
        raise TrainingError(what, hint=f"{hint}--set losses.l1.weight=100")
    return found


def _updates_discriminator(method: Method, phase: Phase) -> bool:
    return any(method.roles[role].kind == "discriminator" for role in phase.updates)


def _losses(values: Sequence[StepMetrics], terms: Iterable[str]) -> dict[str, OverfitLoss]:
    """The losses so far, by `phase/term`."""
    first, last = values[0].losses, values[-_LAST:]
    return {term: OverfitLoss(first[term], fmean(step.losses[term] for step in last)) for term in terms}


def _phase(term: str) -> str:
    return term.partition("/")[0]


def _label(term: str) -> str:
    """The label of a term's loss, with which the name of the term ends."""
    return term.rpartition("/")[2]


def _learning_roles(method: Method, losses: Iterable[str]) -> list[str]:
    """The roles that phases with these terms update."""
    phases = set(map(_phase, losses))
    return list(dict.fromkeys(role for phase in method.phases() if phase.name in phases for role in phase.updates))


def _require_gradients(method: Method, losses: Iterable[str], values: StepMetrics) -> None:
    for role in _learning_roles(method, losses):
        norms = [norm for level, norm in values.gradient_norms.items() if level.startswith(f"{role}/")]
        if norms and not any(norms):
            what = f"all gradients of the {role} are 0 in the first step, so it cannot learn"
            hint = (
                "Does its output depend on its weights? A `detach`, a `round` or a saturated `clamp` stops gradients."
            )
            raise TrainingError(what, hint=hint)


def _require_weight(method: Method, losses: Mapping[str, OverfitLoss], values: StepMetrics) -> None:
    """Raise a `TrainingError` for a loss that hardly counts among those of its phase."""
    parts = {
        term: method.losses[_label(term)].weight.to * abs(value)
        for term, value in values.losses.items()
        if _label(term) in method.losses
    }
    for term in losses.keys() & parts.keys():
        share = parts[term] / (sum(part for name, part in parts.items() if _phase(name) == _phase(term)) or 1)
        if share < _LEAST_SHARE:
            key = f"losses.{bare(_label(term))}.weight"
            what = f"the loss {term} is {share:.1e} of what its phase minimizes, so nothing is learned from it"
            raise TrainingError(what, hint=f"Raise {key}, or leave the loss out with {key} = 0.")


def _require_fall(
    experiment: Experiment, losses: Mapping[str, OverfitLoss], steps: int, before: Mapping[str, Sequence[Tensor]]
) -> None:
    stuck = {term: loss for term, loss in losses.items() if not loss.has_fallen}
    if not stuck:
        return
    what = "; ".join(f"{term} was {loss.first:.4g}, and is {loss.last:.4g}" for term, loss in stuck.items())
    moves = {role: _move(experiment, role, before[role]) for role in _learning_roles(experiment.method, stuck)}
    role, least = min(moves.items(), key=lambda item: item[1])
    if least < _LEAST_MOVE:
        weights = ", ".join(f"losses.{bare(_label(term))}.weight" for term in stuck)
        hint = f"The weights of the {role} moved by {least:.1e} of their size: raise the learning rate, or {weights}."
    else:
        hint = (
            "The weights do change: if the loss goes up and down, lower the learning rate; if it falls slowly, raise "
            "it; if another loss outweighs it, change their weights; if nothing helps, the network is too small."
        )
    raise TrainingError(f"{steps} steps on a single batch did not drive the loss down: {what}", hint=hint)


def _trained_weights(method: Method) -> dict[str, list[Tensor]]:
    return {
        role: [weight.detach().clone() for weight in network.parameters()]
        for role, network in trained_networks(method).items()
    }


def _move(experiment: Experiment, role: str, before: Sequence[Tensor]) -> float:
    """Distance of a network's weights from those before, as a part of their norm."""
    after = [weight.detach() for weight in experiment.networks[role].parameters()]
    changes = [new - old for new, old in zip(after, before, strict=True)]
    return float(get_total_norm(changes) / get_total_norm(before).clamp(min=torch.finfo(torch.float32).tiny))
