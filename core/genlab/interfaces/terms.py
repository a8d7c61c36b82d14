"""Terms of a phase's objective, from the losses of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from genlab.interfaces.batch import Batch
from genlab.interfaces.loss import AdversarialLoss, AnyLoss, Loss, Objective, Scores
from genlab.interfaces.method import Outputs, Phase, Term, Terms, WeightedLoss
from genlab.interfaces.step_context import StepContext


def generator_terms(losses: Mapping[str, WeightedLoss], step: StepContext) -> Terms:
    """The generator's terms of all losses that have one, by label, with the weights of the recipe."""
    terms: dict[str, Term] = {}
    for label, (loss, weight) in losses.items():
        if isinstance(loss, AdversarialLoss):
            terms[label] = Term(_over_maps(loss.for_generator, step), weight.at(step.position))
        elif isinstance(loss, Loss):
            value = loss(step.condition, step.target, step.prediction)
            terms[label] = Term(step.mean_over_counted(value) if loss.is_pixelwise else value, weight.at(step.position))
        elif loss.side == "generator" and step.position.is_due(loss.every):
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


def discriminator_phases(
    role: str,
    losses: Mapping[str, WeightedLoss],
    step: Callable[[Batch, Outputs], StepContext],
    *,
    weight: float = 1.0,
    repeats: int = 1,
) -> list[Phase]:
    """The phases of a discriminator: one for the game, and one for each `every` of objectives that have one.

    Args:
        role: the discriminator's, which is the phase's name.
        losses: the losses.
        step: the step as the discriminator's objectives see it, with a prediction that is detached.
        weight: of each adversarial loss.
        repeats: updates in a step by the objectives of every step, each with another batch.
    """
    groups: dict[int, dict[str, WeightedLoss]] = {}
    for label, weighted in losses.items():
        if isinstance(weighted.loss, AdversarialLoss) or objective_side(weighted.loss) == "discriminator":
            every = weighted.loss.every if isinstance(weighted.loss, Objective) else 1
            groups.setdefault(every, {})[label] = weighted

    def phase(every: int, group: Mapping[str, WeightedLoss]) -> Phase:
        def terms(batch: Batch, outputs: Outputs) -> Terms:
            return discriminator_terms(group, step(batch, outputs), weight)

        if every == 1:
            return Phase(role, (role,), terms, repeats=repeats, fresh=repeats > 1)
        return Phase(f"{role}_every_{every}", (role,), terms, every=every)

    return [phase(every, groups[every]) for every in sorted(groups)]


def objective_side(loss: AnyLoss) -> Literal["generator", "discriminator"]:
    """Whose objective a loss belongs to; an adversarial loss belongs to both, and is counted as the generator's."""
    return loss.side if isinstance(loss, Objective) else "generator"


def needs_discriminator(loss: AnyLoss | type[AnyLoss]) -> bool:
    """True for a loss that needs a discriminator."""
    cls = loss if isinstance(loss, type) else type(loss)
    return issubclass(cls, AdversarialLoss) or (issubclass(cls, Objective) and cls.needs_discriminator)


def _over_maps(side: Callable[[Scores], Float[Tensor, ""]], step: StepContext) -> Float[Tensor, ""]:
    """Mean of one side of an adversarial loss over the maps of scores."""
    count = len(step.score(step.prediction))
    values = [
        side(Scores(lambda at=at: step.score(step.target)[at], lambda at=at: step.score(step.prediction)[at]))
        for at in range(count)
    ]
    return values[0] if count == 1 else torch.stack(values).mean()
