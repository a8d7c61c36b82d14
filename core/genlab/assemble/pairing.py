"""Check that a recipe's data have pairs where its method and its metrics need them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from genlab.assemble.open_data import OpenData
from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.validate import dotted, inline
from genlab.errors import Fault
from genlab.interfaces.dataset import TrainingSplit
from genlab.registry.components import Component


def require_pairs(recipe: Recipe, data: OpenData, document: Document) -> None:
    """Raise a `RecipeError` that lists what needs pairs and gets none; no image is read."""
    if faults := [*_faults(recipe, data)]:
        raise recipe_error(faults, document)


def _faults(recipe: Recipe, data: OpenData) -> Iterator[Fault]:
    without = [split for split in get_args(TrainingSplit) if not data.pairs(split).is_paired]
    if without and _needs_pairs(recipe.method.component):
        what = f"{recipe.method.component} needs pairs, and the data have none: {_described(data, without[0])}"
        hint = "Choose a method that needs none, such as cyclegan, or a dataset of pairs, such as two_folders."
        yield Fault(("method", "name"), what, hint)
        return
    best = recipe.settings.checkpoint.best
    side, _, label = best.partition("/") if best else ("validation", "", "")
    if "train" in without and side != "validation" and _needs_pairs(recipe.metrics[label.split("/")[0]].component):
        what = f"`{best}` is not measured, as its metric needs pairs, and the training data have none"
        hint = f"Set checkpoint.best = {inline(f'validation/{label}')}."
        yield Fault(("checkpoint", "best"), f"{what}: {_described(data, 'train')}", hint)
    if "validation" in without:
        for label, config in recipe.metrics.items():
            if _needs_pairs(config.component):
                keys = ("evaluate", "metrics", label)
                what = f"{config.component} needs pairs, and the validation data have none"
                hint = f"Drop it with --set {dotted(keys)}=false, or validate on pairs."
                yield Fault(keys, f"{what}: {_described(data, 'validation')}", hint, at_key=True)


def _needs_pairs(component: Component) -> bool:
    """The class attribute of a method or a metric."""
    cls: Any = component.cls
    return cls.needs_pairs


def _described(data: OpenData, split: TrainingSplit) -> str:
    return data.pairs(split).description
