"""Content of the machine's cache of pairs, and its removal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genlab.assemble.experiment import construct, settle
from genlab.assemble.open_data import open_data
from genlab.assemble.pair_cache import cache_keys
from genlab.assemble.read import read_recipe
from genlab.data.augment import load_size
from genlab.data.cache import Cache, CacheContent
from genlab.util.arguments import checked_arguments


@checked_arguments
def inspect_cache(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = ()
) -> CacheContent | None:
    """Content of this machine's cache of pairs, and the part that belongs to the recipe; None without a cache.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
    """
    cache = Cache.of_this_machine()
    if cache is None:
        return None
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    parts = construct(checked.recipe, checked.document)
    data = open_data(parts.data)
    loaded = load_size(parts.augmentations, checked.recipe.settings.input.height_width)
    return cache.content(key.content for key in cache_keys(settle(checked.recipe, data), data, loaded))


def clear_cache() -> CacheContent | None:
    """Remove this machine's cache of pairs, and return its content before; None without a cache."""
    cache = Cache.of_this_machine()
    if cache is None:
        return None
    found = cache.content([])
    for entry in found.others:
        cache.remove(entry.name)
    return found
