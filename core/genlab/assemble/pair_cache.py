"""The pairs of a recipe in the machine's content-addressed cache."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import version
from typing import cast

import torch

from genlab.assemble import source_digest
from genlab.assemble.open_data import OpenData
from genlab.assemble.recipe import Recipe
from genlab.data.augment import load_size
from genlab.data.cache import Cache, name_of
from genlab.data.pair_store import PairStore
from genlab.errors import StorageError
from genlab.interfaces.dataset import Split

_log = logging.getLogger("genlab")


def pair_stores(recipe: Recipe, data: OpenData) -> dict[str, PairStore]:
    """Stores of a recipe's pairs, by part; none where the cache is off or not available."""
    cache = Cache.of_this_machine()
    if cache is None:
        return {}
    found: dict[str, PairStore] = {}
    kept = cache_keys(recipe, data)
    try:
        for part, content in kept.items():
            pairs = data.validation if part == "validation" else data.training
            height, width = cast(tuple[int, int], content["size"])
            found[part] = cache.store(content, len(pairs), f"{pairs.description}, {height} x {width}", 1 / len(kept))
    except StorageError as error:
        _log.warning("The cache of pairs is not available, so pairs are decoded in every run: %s", error)
        return {}
    return found


def cache_keys(recipe: Recipe, data: OpenData) -> dict[str, Mapping[str, object]]:
    """Keys of a recipe's pairs in the content-addressed cache, by split.

    A key holds everything that the content depends on: the pairs, the settings that prepare them, and the code.
    """
    settings = recipe.settings.input
    common = {
        "direction": settings.direction,
        "ranges": (settings.range_a, settings.range_b),
        "predictions": recipe.predictions,
        "code": source_digest.digests(
            config.component.cls.__module__ for config in (data.config, *data.config.nested())
        ),
        "versions": {name: version(name) for name in ("torch", "numpy", "pillow")},
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
    parts: dict[str, tuple[Split, tuple[int, int]]] = {
        "training": ("train", load_size(settings)),
        "validation": ("validation", settings.height_width),
        "unaugmented": ("train", settings.height_width),
    }
    return {
        part: {**common, "pairs": data.fingerprints[split], "sides": repr(data.sides(split)), "size": size}
        for part, (split, size) in parts.items()
    }


def remove_pairs(recipe: Recipe, data: OpenData) -> None:
    """Remove a recipe's pairs from the cache."""
    if cache := Cache.of_this_machine():
        for content in cache_keys(recipe, data).values():
            cache.remove(name_of(content))
