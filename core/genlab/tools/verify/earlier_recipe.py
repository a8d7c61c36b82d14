"""The recipe that a run had at an earlier step."""

from __future__ import annotations

from typing import Any

from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.config.changed_values import ChangedValue
from genlab.config.validate import inline
from genlab.errors import RecipeError, RunError
from genlab.runs.manifest import Manifest, RecipeChange

_WITHOUT_EFFECT = ("data.", "listeners.", "checkpoint.")
"""Tables whose changes leave the steps as they are: of data, a resume changes only where the same content is."""


def recipe_at(checked: CheckedRecipe, manifest: Manifest, step: int) -> CheckedRecipe:
    """The recipe that trained the step after `step`: that of today without what resumes changed later.

    Raises:
        RunError: it cannot be had from the changes that the manifest records.
    """
    later = [change for change in _effective(manifest) if change.step > step]
    if not later:
        return checked
    before: dict[str, Any] = {}
    for change in later:
        before.setdefault(change.key, change.old)
    words = "; ".join(f"{ChangedValue(c.key, c.old, c.new)} (step {c.step:,})" for c in later)
    what = f"a resume changed the recipe later, which cannot be taken back: {words}"
    if any(value is None for value in before.values()):
        raise RunError(what)
    try:
        return with_overrides(checked, [f"{key}={inline(value)}" for key, value in before.items()])
    except RecipeError as error:
        raise RunError(what) from error


def next_change(manifest: Manifest, step: int) -> int | None:
    """The first step after `step` at which a resume changed the recipe or the data."""
    changes = (*_effective(manifest), *manifest.data.changes)
    return min((change.step for change in changes if change.step > step), default=None)


def _effective(manifest: Manifest) -> list[RecipeChange]:
    return [change for change in manifest.recipe_changes if not change.key.startswith(_WITHOUT_EFFECT)]
