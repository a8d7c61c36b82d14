"""Checks of a recipe's losses as the two sides of a game."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genlab.config.validate import bare
from genlab.errors import Fault
from genlab.interfaces.loss import AdversarialLoss, Objective
from genlab.interfaces.terms import needs_discriminator
from genlab.registry.components import ComponentConfig

_IDLE = {
    "discriminator": "penalizes a discriminator, and no loss of the generator asks for its scores",
    "generator": "compares what a discriminator makes of images, and no loss trains one",
}


def game_faults(losses: Mapping[str, ComponentConfig]) -> Iterator[Fault]:
    """Faults of objectives that need a discriminator, where the other side of the game has no loss.

    Args:
        losses: those of the recipe, by label.
    """
    classes = {label: config.component.cls for label, config in losses.items()}
    playing = {label: cls for label, cls in classes.items() if needs_discriminator(cls)}
    if any(issubclass(cls, AdversarialLoss) for cls in playing.values()):
        return
    sides = {label: cls.side for label, cls in playing.items() if issubclass(cls, Objective)}
    if len(set(sides.values())) > 1:
        return
    for label, side in sides.items():
        hint = f"Add a loss such as `adversarial`, or drop this one with losses.{bare(label)}.weight = 0."
        yield Fault(("losses", label), f"the loss `{label}` {_IDLE[side]}", hint, at_key=True)
