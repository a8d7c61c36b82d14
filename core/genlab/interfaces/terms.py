"""Terms of a phase's objective, from the losses of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from genlab.interfaces.loss import AdversarialLoss, AnyLoss, Loss, Objective, Scores
from genlab.interfaces.method import Term, Terms, WeightedLoss
from genlab.interfaces.step_context import StepContext


def generator_terms(losses: Mapping[str, WeightedLoss], step: StepContext) -> Terms:
    """The generator's terms of all losses that have one, by label, with the weights of the recipe."""
    terms: dict[str, Term] = {}
    for label, (loss, weight) in losses.items():
        if isinstance(loss, AdversarialLoss):
            terms[label] = Term(_over_maps(loss.for_generator, step), weight.at(step.position))
        elif isinstance(loss, Loss):
            terms[label] = Term(loss(step.condition, step.target, step.prediction), weight.at(step.position))
        elif loss.side == "generator":
            terms[label] = Term(loss(step), loss.every * weight.at(step.position))
    return terms


def discriminator_terms(losses: Mapping[str, WeightedLoss], step: StepContext, weight: float = 1.0) -> Terms:
    """The discriminator's terms of all losses that have one, by label.

    Args:
        losses: the losses.
        step: with a prediction that is detached from its generator.
        weight: of each adversarial loss, whose weight in the recipe is the generator's; objectives have their own.
    """
    if any(isinstance(loss, AdversarialLoss) for loss, _ in losses.values()):
        step.score_each((step.target, step.prediction))
    terms: dict[str, Term] = {}
    for label, (loss, own) in losses.items():
        if isinstance(loss, AdversarialLoss):
            terms[label] = Term(_over_maps(loss.for_discriminator, step), weight)
        elif isinstance(loss, Objective) and loss.side == "discriminator":
            terms[label] = Term(loss(step), loss.every * own.at(step.position))
    return terms


def needs_discriminator(loss: AnyLoss | type[AnyLoss]) -> bool:
    """True for a loss that is nothing without a discriminator."""
    cls = loss if isinstance(loss, type) else type(loss)
    return issubclass(cls, AdversarialLoss) or (
        issubclass(cls, Objective) and (cls.side == "discriminator" or cls.needs_features)
    )


def _over_maps(side: Callable[[Scores], Float[Tensor, ""]], step: StepContext) -> Float[Tensor, ""]:
    """Mean of one side of an adversarial loss over the maps of scores."""
    count = len(step.score(step.prediction))
    values = [
        side(Scores(lambda at=at: step.score(step.target)[at], lambda at=at: step.score(step.prediction)[at]))
        for at in range(count)
    ]
    return values[0] if count == 1 else torch.stack(values).mean()
