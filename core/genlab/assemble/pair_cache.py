"""The pairs of a recipe in the machine's content-addressed cache."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple, cast

import torch

from genlab.assemble import source_digest
from genlab.assemble.open_data import OpenData
from genlab.assemble.recipe import Recipe
from genlab.data.cache import Cache, name_of
from genlab.data.pair_store import PairStore
from genlab.errors import StorageError
from genlab.interfaces.dataset import SideName, TrainingSplit

_log = logging.getLogger("genlab")


def pair_stores(recipe: Recipe, data: OpenData, loaded: tuple[int, int]) -> dict[str, list[PairStore]]:
    """Stores of a recipe's pairs, by part, as `PreparedPairs` takes them; none where the cache is off or not available.

    Of a part without pairs, conditions and targets have a store each.

    Args:
        recipe: what they are prepared for.
        data: both splits.
        loaded: height and width of training conditions before augmentation.
    """
    cache = Cache.of_this_machine()
    if cache is None:
        return {}
    found: defaultdict[str, list[PairStore]] = defaultdict(list)
    kept = cache_keys(recipe, data, loaded)
    try:
        for key in kept:
            pairs = data.validation if key.part == "validation" else data.training
            height, width = cast(tuple[int, int], key.content["size"])
            description = f"{pairs.description}, {f'side {key.side}, ' if key.side else ''}{height} x {width}"
            count = pairs.count_of(key.side) if key.side else len(pairs)
            found[key.part].append(cache.store(key.content, count, description, 1 / len(kept)))
    except StorageError as error:
        _log.warning("The cache of pairs is not available, so pairs are decoded in every run: %s", error)
        return {}
    return found


class CacheKey(NamedTuple):
    """Key of a store in the content-addressed cache.

    Args:
        part: the part of the data, such as `training`.
        side: the side, where sides have no pairs.
        content: everything that the content depends on: the pairs, the settings that prepare them, and the code.
    """

    part: str
    side: SideName | None
    content: Mapping[str, object]


def cache_keys(recipe: Recipe, data: OpenData, loaded: tuple[int, int]) -> list[CacheKey]:
    """Keys of a recipe's pairs in the content-addressed cache, as `pair_stores` takes them.

    Of a part without pairs, conditions come first.
    """
    settings = recipe.settings.input
    common = {
        "direction": settings.direction,
        "scale": settings.scale,
        "resize": settings.resize,
        "ranges": (settings.range_a, settings.range_b),
        "predictions": recipe.predictions,
        "code": source_digest.digests(
            config.component.cls.__module__ for config in (data.config, *data.config.nested())
        ),
        "versions": {name: version(name) for name in ("torch", "numpy", "pillow")},
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
    parts: dict[str, tuple[TrainingSplit, tuple[int, int]]] = {
        "training": ("train", loaded),
        "validation": ("validation", settings.height_width),
        "unaugmented": ("train", settings.height_width),
    }
    sides: tuple[SideName, ...] = ("b", "a") if settings.direction == "b_to_a" else ("a", "b")
    return [
        CacheKey(
            part,
            side,
            {
                **common,
                "pairs": data.fingerprints[split],
                "sides": repr(data.sides(split)),
                "masks": data.pairs(split).has_masks,
                "size": size,
                "side": side,
            },
        )
        for part, (split, size) in parts.items()
        for side in ((None,) if data.pairs(split).is_paired else sides)
    ]


def remove_pairs(recipe: Recipe, data: OpenData, loaded: tuple[int, int]) -> None:
    """Remove a recipe's pairs, as `pair_stores` takes them, from the cache."""
    if cache := Cache.of_this_machine():
        for key in cache_keys(recipe, data, loaded):
            cache.remove(name_of(key.content))
