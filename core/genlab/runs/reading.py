"""Reading of a run's recipe from its folder."""

from __future__ import annotations

from collections.abc import Sequence

from genlab.assemble.read import CheckedRecipe, check_document
from genlab.config.component_name import canonical
from genlab.errors import RecipeError, RunError
from genlab.registry.discovery.find import plugins_with
from genlab.registry.discovery.packages import declared_plugins
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.registry.discovery.trust import require_trust
from genlab.runs.folder import RunFolder
from genlab.runs.kept_recipe import kept_recipe


def read_run(folder: RunFolder) -> CheckedRecipe:
    """Read a run's recipe, with its copies of plugin files, which are run if they are trusted.

    Args:
        folder: the run's.

    Raises:
        RecipeError: it is no longer valid.
        RunError: the recipe was edited since the run began, packages that the run was made with are missing, plugin
            files are others than it was made with, or it has code that is not trusted.
    """
    document = kept_recipe(folder)
    files = [PluginFile.read(file, str(file)) for file in folder.plugin_files]
    _refuse_changed_plugins(folder, files)
    require_trust(folder.path, files)
    try:
        return check_document(document, plugins_with(files))
    except RecipeError as error:
        if missing := _missing_packages(folder):
            hint = f"Install the missing packages. Without them, the recipe is invalid:\n{error}"
            what = f"the run was made with {', '.join(missing)}, which is not installed"
            raise RunError(what, where=str(folder.path), hint=hint) from error
        raise


def _refuse_changed_plugins(folder: RunFolder, files: Sequence[PluginFile]) -> None:
    """Raise a `RunError` if a plugin file is not the one that the run was made with."""
    known, found = folder.stored().plugin_files, {file.path.name: file.digest for file in files}
    if known is None or known == found:
        return
    name = min(name for name in {*known, *found} if known.get(name) != found.get(name))
    reason = "has changed since the run started"
    if name not in known:
        reason = "is not one that the run was made with"
    if name not in found:
        reason = "is missing"
    hint = (
        'Restore it. To use the files as they are, set "plugin_files" to null in run.json, and remove "sha256" there.'
    )
    raise RunError(f"this plugin file {reason}", where=str(folder.plugins_path / name), hint=hint)


def _missing_packages(folder: RunFolder) -> list[str]:
    """Packages, with versions, whose plugins a run was made with and that are not installed."""
    there = {canonical(declared.package) for declared in declared_plugins()}
    files = {file.name for file in folder.plugin_files}
    made_with = folder.read().plugins
    return [
        f"{package} {version}".rstrip()
        for package, version in made_with.items()
        if package not in files and canonical(package) not in there
    ]
