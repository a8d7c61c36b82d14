"""The recipe of a run, read again from its folder."""

from __future__ import annotations

from collections.abc import Iterable

from genlab.assemble.read import CheckedRecipe, read_recipe
from genlab.errors import RecipeError, RunError
from genlab.registry.discovery.packages import declared_plugins
from genlab.registry.discovery.plugin import canonical
from genlab.runs.folder import RunFolder


def read_run(folder: RunFolder, overrides: Iterable[str] = ()) -> CheckedRecipe:
    """The recipe of a run from before, with the plugins' files that it keeps.

    Args:
        folder: the run's.
        overrides: `KEY=VALUE` texts, laid over the recipe.

    Raises:
        RecipeError: it does not hold any more.
        RunError: that is because packages are missing that the run was made with.
    """
    try:
        return read_recipe(folder.recipe_path, overrides=overrides, plugins=folder.plugin_files)
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
