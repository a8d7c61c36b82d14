"""Augmentations of a recipe, tried before a training."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.data.augment import AugmentationStep, augmented_sides
from genlab.data.order import draw
from genlab.data.prepared import PreparedPairs
from genlab.errors import Fault
from genlab.interfaces.dataset import ImageSide


def try_augmentations(
    recipe: Recipe, steps: Sequence[AugmentationStep], training: PreparedPairs, document: Document
) -> None:
    """Change a black image of each side, to find unusable augmentations before training.

    Raises:
        RecipeError: one does not take such a side.
        PluginError: one gives something else than it has to.
    """
    draws = [draw(recipe.settings.seed, 0, 1)]
    for spec, side in zip(training.sides, augmented_sides(training), strict=True):
        channels = spec.channels if isinstance(spec, ImageSide) else 1
        images = torch.zeros(1, channels, *side.size, dtype=torch.uint8)
        for step in steps:
            try:
                images = step.apply(images, side, draws)
            except ValueError as error:
                config = recipe.augmentations[step.label]
                raise recipe_error([Fault(config.at, f"{config.component}: {error}", at_key=True)], document) from error
