"""Checks of what several processes can share of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.validate import bare
from genlab.errors import Fault


def refuse_unshared(recipe: Recipe, document: Document, size: int) -> None:
    """Raise a `RecipeError` with all that keeps a recipe from being trained by several processes.

    Args:
        recipe: the recipe.
        document: where its values were written.
        size: the number of processes.
    """
    if size > 1 and (faults := list(_faults(recipe, size))):
        raise recipe_error(faults, document)


def _faults(recipe: Recipe, size: int) -> Iterator[Fault]:
    batch_size = recipe.settings.train.batch_size
    if batch_size % size:
        what = f"a batch of {batch_size} cannot be divided equally among {size} processes"
        hint = f"Start another number of processes; a new run may set train.batch_size to a multiple of {size}."
        yield Fault(("train", "batch_size"), what, hint)
    alone = "Train it by one process"
    if recipe.method.component.cls.remembers_images:
        what = f"the method {recipe.method.component.name} remembers images, which several processes cannot share"
        yield Fault(("method",), what, f"{alone}.", at_key=True)
    for label, config in recipe.losses.items():
        cls = config.component.cls
        left_out = f"{alone}, or drop the loss with losses.{bare(label)}.weight = 0."
        if not cls.is_mean:
            what = f"the loss `{label}` is not a mean over images, so it cannot be averaged over processes"
            yield Fault(("losses", label), what, left_out, at_key=True)
        if cls.remembers_images:
            what = f"the loss `{label}` remembers images, which several processes cannot share"
            yield Fault(("losses", label), what, left_out, at_key=True)
