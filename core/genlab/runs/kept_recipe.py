"""A run's recipe in its manifest and in its recipe.toml, which must agree. Importing this imports no torch."""

from __future__ import annotations

import shlex
from typing import Any

import tomli_w

from genlab.config.changed_values import ChangedValue, changed_values
from genlab.config.document import Document, read_document, read_file
from genlab.config.validate import inline
from genlab.errors import RecipeError, RunError
from genlab.runs.folder import RunFolder
from genlab.runs.former_recipes import upgraded
from genlab.runs.recipe_changes import CHANGEABLE_KEYS, as_lines, as_options, is_changeable
from genlab.util.files import write_text


def kept_recipe(folder: RunFolder) -> Document:
    """A run's recipe in today's form: that of recipe.toml, or of the manifest if a process was killed before it wrote.

    Raises:
        RunError: recipe.toml is damaged or was edited: its values are not those that the manifest has.
    """
    kept = _kept(folder)
    tables = upgraded(kept.values)
    return kept if tables == kept.values else read_document(tomli_w.dumps(tables), kept.name)


def _kept(folder: RunFolder) -> Document:
    """The recipe as the run has it."""
    changes: list[ChangedValue] = []
    for _ in range(2):  # a process that resumes the run may replace both between the two readings
        manifest, found = folder.stored(), _read(folder)
        if manifest.recipe is None:
            return found  # a run from before
        changes = changed_values(manifest.recipe, found.values)
        if not changes:
            return found
        if manifest.replaced_recipe is not None and not changed_values(manifest.replaced_recipe, found.values):
            return read_document(tomli_w.dumps(manifest.recipe), str(folder.recipe_path))
    raise _edited(folder, changes)


def _read(folder: RunFolder) -> Document:
    try:
        return read_file(folder.recipe_path)
    except RecipeError as error:
        hint = "Restore it from a copy; run.json has its values under `recipe`."
        raise RunError(f"recipe.toml cannot be read: {error}", where=str(folder.path), hint=hint) from error


def refuse_edited_recipe(folder: RunFolder) -> None:
    """Raise a `RunError` if a run's recipe.toml was edited."""
    _kept(folder)


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
    kept = _kept(folder)
    if folder.stored().replaced_recipe is not None:
        write_text(folder.recipe_path, tomli_w.dumps(kept.values))
        folder.update(replaced_recipe=None)


def _edited(folder: RunFolder, changes: list[ChangedValue]) -> RunError:
    what = f"recipe.toml was edited, and a run keeps its recipe:{as_lines(changes)}"
    resume = shlex.join(["gen", "resume", str(folder.path)])
    is_finished = folder.stored().status == "finished"
    if is_finished and not folder.can_continue():
        then = "It is finished, and keeps nothing to continue it with."
    elif all(is_changeable(change.key) and change.new is not None for change in changes):
        options = as_options(f"{change.key}={inline(change.new)}" for change in changes)
        more = " --set train.steps=N" if is_finished and all(it.key != "train.steps" for it in changes) else ""
        then = f"Then, to change them: {resume}{more} {shlex.join(options)}"
    else:
        then = f"`{resume} --set KEY=VALUE` can change {', '.join(CHANGEABLE_KEYS)}; for others, start a new run."
    return RunError(what, where=str(folder.path), hint=f"Restore the values on the left. {then}")
