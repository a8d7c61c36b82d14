"""A run's recipe in its manifest and in its recipe.toml, which must agree. Importing this imports no torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import tomli_w

from genlab.config.changed_values import ChangedValue, changed_values
from genlab.config.document import read_file
from genlab.config.validate import inline
from genlab.errors import RunError
from genlab.runs.folder import RunFolder
from genlab.runs.recipe_changes import CHANGEABLE_KEYS, as_lines, as_options, is_changeable
from genlab.util.files import write_text


def kept_recipe(folder: RunFolder) -> Mapping[str, Any]:
    """Tables of a run's recipe.

    Raises:
        RunError: recipe.toml was edited: its values are not those that the manifest has.
        RecipeError: recipe.toml cannot be read.
    """
    changes: list[ChangedValue] = []
    for _ in range(2):  # a process that resumes the run may replace both between the two readings
        manifest, found = folder.stored(), read_file(folder.recipe_path).values
        if manifest.recipe is None:
            return found  # a run from before
        changes = changed_values(manifest.recipe, found)
        if not changes or not changed_values(manifest.replaced_recipe or manifest.recipe, found):
            return manifest.recipe
    raise _edited(folder, changes)


def replace_recipe(folder: RunFolder, tables: dict[str, Any], **updates: object) -> None:
    """Replace a run's recipe.

    The manifest is written first, at once with further entries of it, and then recipe.toml: a process that is killed
    in between has made the change, and `complete_replacement` writes the file.

    Args:
        folder: the run's, locked.
        tables: the new recipe.
        updates: further entries of the manifest.
    """
    found = read_file(folder.recipe_path).values
    replaced = found if changed_values(found, tables) else None  # comments stay where nothing changes
    folder.update(recipe=tables, replaced_recipe=replaced, **updates)
    complete_replacement(folder)


def complete_replacement(folder: RunFolder) -> None:
    """Write recipe.toml if the process that replaced the recipe was killed before it did; raises as `kept_recipe`."""
    tables = kept_recipe(folder)
    if folder.stored().replaced_recipe is not None:
        write_text(folder.recipe_path, tomli_w.dumps(tables))
        folder.update(replaced_recipe=None)


def _edited(folder: RunFolder, changes: list[ChangedValue]) -> RunError:
    what = f"recipe.toml was edited, and a run keeps its recipe:{as_lines(changes)}"
    resume = shlex.join(["gen", "resume", str(folder.path)])
    if all(is_changeable(change.key) and change.new is not None for change in changes):
        options = as_options(f"{change.key}={inline(change.new)}" for change in changes)
        then = f"Then, to change them: {resume} {shlex.join(options)}"
    else:
        then = f"`{resume} --set KEY=VALUE` can change {', '.join(CHANGEABLE_KEYS)}; for others, start a new run."
    return RunError(what, where=str(folder.path), hint=f"Restore the values on the left. {then}")
