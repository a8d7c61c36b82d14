"""Check that a recipe's method leaves out the pixels that its data say do not count."""

from __future__ import annotations

from typing import Any, get_args

from genlab.assemble.open_data import OpenData
from genlab.assemble.recipe import Recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.data.masks import is_masked
from genlab.errors import Fault
from genlab.interfaces.dataset import TrainingSplit


def require_masks_followed(recipe: Recipe, data: OpenData, document: Document) -> None:
    """Raise a `RecipeError` for data with masks or an ignored value and a method that does not follow masks."""
    masked = next((pairs for split in get_args(TrainingSplit) if is_masked(pairs := data.pairs(split))), None)
    method = recipe.method.component
    cls: Any = method.cls
    if masked is None or cls.follows_masks:
        return
    reason = "have masks" if masked.has_masks else "have an ignored value"
    what = f"{method} does not leave out pixels, and the data {reason}: {masked.description}"
    hint = "Choose a method that does, such as pix2pix, or data in which all pixels count, with each value a class."
    raise recipe_error([Fault(("method", "name"), what, hint)], document)
