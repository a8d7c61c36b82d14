"""Prepared pairs: read, oriented and resized, the input of data augmentation."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import NamedTuple, TypeVar

import torch

from genlab.config.schema import Input, Percentiles, ValueRange
from genlab.data.device import CPU, moved
from genlab.data.pair import PreparedPair
from genlab.data.pair_store import PairStore
from genlab.data.sides import OneHotLabels, TensorSpec, channels_of, resize, to_tensor, value_range
from genlab.errors import DataError
from genlab.interfaces.dataset import ImageSide, LabelSide, Pair, Pairs, Side, SideName, require_pair
from genlab.interfaces.predictions import Predictions

CACHE_BYTES = 2**30

T = TypeVar("T")


class PairSpec(NamedTuple):
    """Descriptions of condition and target."""

    condition: Side
    target: TensorSpec


def ranged_side(side: Side, setting: ValueRange, name: SideName) -> Side:
    """A side with the range of a recipe; `DataError` if it cannot have one."""
    if setting == "type":
        if isinstance(side, ImageSide) and side.dtype:
            value_range(side.dtype, side.range, f"side {name}")
        return side
    if isinstance(side, LabelSide):
        what = f"input.range_{name} is set, but side {name} is a label map, whose values are classes"
        raise DataError(what, hint="Remove it from the recipe.")
    assert not isinstance(setting, Percentiles), "percentiles are measured when a recipe is settled"
    return replace(side, range=setting)


class PreparedPairs:
    """The pairs of a split, at one size, in the direction that the recipe asks for.

    Pairs that fit into `cache_bytes` of the device's memory are read once; pairs in the store are not decoded again.
    Reading from several threads is safe.

    Args:
        pairs: the pairs.
        settings: the recipe's `[input]`.
        size: height and width to resize to.
        predictions: kind of prediction; for classes, the target is one-hot, with one channel per class.
        cache_bytes: maximum size of the cache in memory.
        store: persistent cache.
        device: device of the tensors; small datasets stay on a GPU entirely.

    Raises:
        DataError: there are no pairs, or the target of a method that predicts classes is an image.
    """

    def __init__(
        self,
        pairs: Pairs,
        settings: Input,
        size: tuple[int, int],
        predictions: Predictions = "images",
        cache_bytes: int = CACHE_BYTES,
        store: PairStore | None = None,
        device: torch.device = CPU,
    ) -> None:
        if len(pairs) == 0:
            raise DataError("there are no pairs", where=pairs.description)
        self.pairs = pairs
        self.size = size
        self.flipped = settings.direction == "b_to_a"
        ranged = (ranged_side(pairs.a, settings.range_a, "a"), ranged_side(pairs.b, settings.range_b, "b"))
        condition, target = self._oriented(*ranged)
        self.sides = PairSpec(condition, self._classes(target) if predictions == "classes" else target)
        self.channels = (channels_of(self.sides.condition), channels_of(self.sides.target))
        self._cache: dict[int, PreparedPair] = {}
        self._room = cache_bytes
        self._store = store
        self._device = device
        self._lock = Lock()

    @property
    def names(self) -> tuple[SideName, SideName]:
        """The sides that condition and target are."""
        return ("b", "a") if self.flipped else ("a", "b")

    @cached_property
    def dtypes(self) -> tuple[str, str]:
        """NumPy's names of the types of condition and target in the first pair, which is read."""
        require_pair(first := self.pairs[0], self.pairs.description)
        condition, target = self._oriented(first.a.dtype.name, first.b.dtype.name)
        return condition, target

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> PreparedPair:
        if (cached := self._cache.get(index)) is not None:
            return cached
        prepared = self._from_store(index) or self._decode(index)
        sides = (moved(side, self._device) for side in (prepared.condition, prepared.target))
        prepared = PreparedPair(prepared.key, *sides)
        self._keep(index, prepared)
        return prepared

    def require(self, index: int) -> bool:
        """Read a pair, unless the store has it; True if it was read, and `DataError` if it cannot be."""
        if self._store and self._store.has(index):
            return False
        self[index]
        return True

    def _from_store(self, index: int) -> PreparedPair | None:
        return self._store.get(index) if self._store else None

    def _decode(self, index: int) -> PreparedPair:
        prepared = self.prepare(self.pairs[index])
        if self._store:
            self._store.put(index, prepared)
        return prepared

    def prepare(self, pair: Pair) -> PreparedPair:
        """Orient and resize a pair; `DataError` if it does not match its dataset's declaration."""
        require_pair(pair, self.pairs.description)
        if pair.a.shape[:2] != pair.b.shape[:2]:
            sizes = " and ".join("x".join(map(str, side.shape[:2])) for side in (pair.a, pair.b))
            raise DataError(f"its sides differ in height and width: {sizes}", where=pair.key)
        tensors = [
            resize(to_tensor(array, side, f"{pair.key}, side {name}"), side, self.size)
            for array, side, name in zip(self._oriented(pair.a, pair.b), self.sides, self.names, strict=True)
        ]
        return PreparedPair(pair.key, *tensors)

    def _oriented(self, a: T, b: T) -> tuple[T, T]:
        return (b, a) if self.flipped else (a, b)

    def _classes(self, target: Side) -> OneHotLabels:
        if not isinstance(target, LabelSide):
            side = "a" if self.flipped else "b"
            raise DataError(
                f"the method predicts classes, so the target must be a label map; side {side} is an image",
                where=self.pairs.description,
                hint="Swap input.direction, or use a dataset with label maps on that side: labels_from_colors reads"
                " them from colors, labels_from_values from values, on the side that their setting `side` says.",
            )
        return OneHotLabels(target.palette)

    def _keep(self, index: int, pair: PreparedPair) -> None:
        size = pair.condition.nbytes + pair.target.nbytes
        with self._lock:
            if index not in self._cache and size <= self._room:
                self._cache[index] = pair
                self._room -= size
