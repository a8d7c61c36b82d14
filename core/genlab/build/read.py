"""A recipe read and held against the components there are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from genlab.build.recipe import Recipe
from genlab.build.resolve import resolve
from genlab.components import Components
from genlab.errors import RecipeError, RunError
from genlab.plugins.find import find_plugins
from genlab.plugins.packages import declared_plugins
from genlab.plugins.plugin import canonical
from genlab.recipe.document import Document
from genlab.recipe.load import load
from genlab.runs import RunFolder


class Checked(NamedTuple):
    """A recipe that holds, the document it was read from, and the components there are."""

    recipe: Recipe
    document: Document
    components: Components


def read(recipe: str | Path, *, set: Iterable[str] = (), plugins: Iterable[str | Path] = ()) -> Checked:
    """A recipe, complete with all defaults; nothing is constructed.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        set: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
    """
    components = Components(find_plugins(Path(file) for file in plugins))
    document = load(recipe, set)
    return Checked(resolve(document, components), document, components)


def read_run(folder: RunFolder) -> Checked:
    """The recipe of a run from before, with the plugins' files that it keeps.

    Raises:
        RecipeError: it does not hold any more.
        RunError: that is because packages are missing that the run was made with.
    """
    try:
        return read(folder.recipe_path, plugins=folder.plugin_files)
    except RecipeError as error:
        if missing := _missing_packages(folder):
            hint = f"Install what is missing; without it, its recipe does not hold:\n{error}"
            what = f"the run was made with {', '.join(missing)}, which is not installed"
            raise RunError(what, where=str(folder.path), hint=hint) from error
        raise


def _missing_packages(folder: RunFolder) -> list[str]:
    """The packages, with their versions, whose plugins a run was made with, and which are not there."""
    there = {canonical(declared.package) for declared in declared_plugins()}
    files = {file.name for file in folder.plugin_files}
    made_with = folder.read().plugins
    return [
        f"{package} {version}".rstrip()
        for package, version in made_with.items()
        if package not in files and canonical(package) not in there
    ]
