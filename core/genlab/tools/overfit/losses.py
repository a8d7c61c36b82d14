"""Losses in a training on one batch: those that must fall, and by how much they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from genlab.errors import TrainingError
from genlab.interfaces.listener import StepMetrics
from genlab.interfaces.loss import Loss
from genlab.interfaces.method import Method, Phase

FALL = 0.75
"""The part of its first value to which a loss must fall; noise and a layer that learns alone do less."""
AVERAGED = 5
"""How many last steps a loss is averaged over."""


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


def compared_terms(method: Method, terms: Iterable[str]) -> list[str]:
    """The terms, `phase/term`, that compare a prediction with a target, and so can fall to little on one batch.

    They are those of losses that do; without any, those that a method has of its own, but not a discriminator's.
    """
    games = {phase.name for phase in method.phases() if _updates_discriminator(method, phase)}
    losses = {label: loss for label, (loss, _) in method.losses.items()}
    compared = [term for term in terms if isinstance(losses.get(loss_label(term)), Loss)]
    found = compared or [term for term in terms if loss_label(term) not in losses and phase_of(term) not in games]
    if not found:
        what = f"no loss compares a prediction with a target, so none of {', '.join(terms)} must fall on one batch"
        hint = "Adversarial losses are a game, in which one side's loss rises. Add one for this check, such as l1: "
        raise TrainingError(what, hint=f"{hint}--set losses.l1.weight=100")
    return found


def _updates_discriminator(method: Method, phase: Phase) -> bool:
    return any(method.roles[role].kind == "discriminator" for role in phase.updates)


def losses_so_far(values: Sequence[StepMetrics], terms: Iterable[str]) -> dict[str, OverfitLoss]:
    """The losses so far, by `phase/term`."""
    first, last = values[0].losses, values[-AVERAGED:]
    return {term: OverfitLoss(first[term], fmean(step.losses[term] for step in last)) for term in terms}


def phase_of(term: str) -> str:
    """The phase of a term, with which the name of the term begins."""
    return term.partition("/")[0]


def loss_label(term: str) -> str:
    """The label of a term's loss, with which the name of the term ends."""
    return term.rpartition("/")[2]
