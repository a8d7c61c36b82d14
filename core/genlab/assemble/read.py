"""Read a recipe and check it against the available components."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlab.assemble.recipe import Recipe
from genlab.assemble.resolve import resolve
from genlab.assemble.value_origins import value_origin
from genlab.config.document import Document
from genlab.config.load import load_recipe
from genlab.config.overrides import read_assignments
from genlab.config.validate import Keys
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.registry.discovery.plugin import Plugin
from genlab.util.arguments import checked_arguments


class CheckedRecipe(NamedTuple):
    """A valid recipe, the document it was read from, and the available components."""

    recipe: Recipe
    document: Document
    components: Components

    def tables(self) -> dict[str, Any]:
        """All of the recipe's tables, complete with defaults, and its ablation as it is written."""
        written = self.document.values
        return self.recipe.tables() | ({"ablation": written["ablation"]} if "ablation" in written else {})

    def origin(self, keys: Keys) -> str | None:
        """The place where a value of its tables was set; None for a default."""
        return value_origin(keys, self.recipe, self.document)


@checked_arguments
def read_recipe(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = ()
) -> CheckedRecipe:
    """Read a recipe, complete with all defaults; nothing is constructed.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
    """
    found = find_plugins(plugins)
    return check_document(load_recipe(recipe, overrides), found)


def check_document(document: Document, plugins: Sequence[Plugin]) -> CheckedRecipe:
    """Check a recipe against the components of plugins that were found; `RecipeError` with all that is wrong."""
    components = Components(plugins)
    return CheckedRecipe(resolve(document, components), document, components)


def with_overrides(checked: CheckedRecipe, assignments: Iterable[str]) -> CheckedRecipe:
    """The recipe with `KEY=VALUE` texts laid over it; `RecipeError` with all that is wrong."""
    document = read_assignments(assignments).over(checked.document)
    return checked._replace(recipe=resolve(document, checked.components), document=document)
