"""Losses of a trained method, whose predictions do without what a loss loads."""

from __future__ import annotations

import logging
from typing import Any, Never

from torch import nn

from genlab.assemble.recipe import Recipe
from genlab.engine.seeding import seeded_construction
from genlab.errors import GenlabError
from genlab.interfaces.loss import AnyLoss

_log = logging.getLogger("genlab")


def losses_as_there_are(recipe: Recipe) -> dict[str, AnyLoss]:
    """Build the losses; one that cannot be built, as its weights are gone, raises its error when it is used."""
    losses: dict[str, AnyLoss] = {}
    for label, config in recipe.losses.items():
        try:
            with seeded_construction(recipe.settings.seed, label):
                losses[label] = config.build()
        except GenlabError as error:
            _log.warning("Predictions are made without the loss %s: %s", label, error)
            losses[label] = _absent(config.component.cls, error)
    return losses


def _same(loss: nn.Module, _mode: bool = True) -> nn.Module:
    return loss


def _absent(cls: type, error: GenlabError) -> AnyLoss:
    """An instance of a loss's class that was not constructed; its methods raise the error."""

    def refuse(*_: object) -> Never:
        raise error

    methods: dict[str, Any] = {"forward": refuse, "for_generator": refuse, "for_discriminator": refuse}
    methods["train"] = _same  # a loss may have parts of its own to switch
    absent: Any = object.__new__(type(cls.__name__, (cls,), methods))
    nn.Module.__init__(absent)
    return absent
