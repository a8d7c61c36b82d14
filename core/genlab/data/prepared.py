"""Prepared pairs, or sides without pairs: read, oriented and resized or cropped, the input of data augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlab.config.schema import Input, Percentiles, Resize, ValueRange
from genlab.data.device import CPU
from genlab.data.fitting import MIDDLE, Shares, crop, fit
from genlab.data.masks import is_masked, joint_mask, require_mask
from genlab.data.pair import PreparedPair, Record
from genlab.data.pair_store import PairStore
from genlab.data.read_through import ReadThroughCache
from genlab.data.sides import MASK, OneHotLabels, TensorSpec, channels_of, to_tensor, value_range
from genlab.errors import DataError
from genlab.interfaces.dataset import (
    ImageSide,
    LabelSide,
    Pair,
    Pairs,
    Side,
    SideImage,
    SideName,
    joint_key,
    require_pair,
    require_side_image,
)
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

    Of a split without pairs, condition and target are read, stored and counted each by itself; as pairs, they are
    walked in parallel. What fits into `cache_bytes` of the device's memory is read once, and what is in a store is not
    decoded again. Reading from several threads is safe.

    Args:
        pairs: the pairs.
        settings: the recipe's `[input]`.
        size: height and width of conditions; targets are `scale` times as large.
        predictions: kind of prediction; for classes, the target is one-hot, with one channel per class.
        cache_bytes: maximum size of the cache in memory.
        stores: persistent caches: one of pairs, or one of conditions and one of targets; none without a cache.
        device: device of the tensors; small datasets stay on a GPU entirely.

    Attributes:
        counts: how many conditions and how many targets there are.
        is_masked: whether pairs have masks.

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
        stores: Sequence[PairStore] = (),
        device: torch.device = CPU,
    ) -> None:
        if len(pairs) == 0:
            raise DataError("there are no pairs", where=pairs.description)
        self.pairs = pairs
        self.scale = settings.scale
        self.resize: Resize = settings.resize
        self.sizes = (size, (size[0] * self.scale, size[1] * self.scale))
        self.flipped = settings.direction == "b_to_a"
        ranged = (ranged_side(pairs.a, settings.range_a, "a"), ranged_side(pairs.b, settings.range_b, "b"))
        condition, target = self._oriented(*ranged)
        self.sides = PairSpec(condition, self._classes(target) if predictions == "classes" else target)
        self.channels = (channels_of(self.sides.condition), channels_of(self.sides.target))
        self.counts = self._oriented(pairs.count_of("a"), pairs.count_of("b"))
        self.is_masked = is_masked(pairs)
        decoders = [self._decode_pair] if pairs.is_paired else [partial(self._decode_side, place) for place in (0, 1)]
        self._caches = [
            ReadThroughCache(decode, store, cache_bytes // len(decoders), device)
            for decode, store in zip(decoders, stores or [None] * len(decoders), strict=True)
        ]

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
        return self.cropped(self.joined(*(index % count for count in self.counts)), MIDDLE, MIDDLE)

    def cropped(self, pair: PreparedPair, condition: Shares, target: Shares) -> PreparedPair:
        """Cut both sides to their sizes, each at its place; only where nothing is resized are they larger."""
        return pair._replace(
            condition=crop(pair.condition, self.sizes[0], condition),
            target=crop(pair.target, self.sizes[1], target, self.scale),
            mask=None if pair.mask is None else crop(pair.mask, self.sizes[1], target, self.scale),
        )

    def joined(self, condition: int, target: int) -> PreparedPair:
        """A condition and a target, with its mask, each by its index, the same for those of a pair; not cropped yet."""
        first = self._caches[0][condition]
        if self.pairs.is_paired and condition == target:
            return PreparedPair(first.key, *first.images)
        last = self._caches[-1][target]
        key = joint_key(*self._oriented(first.key, last.key))
        return PreparedPair(key, first.images[0], *(last.images[1:] if self.pairs.is_paired else last.images))

    def reads(self, conditions: Sequence[int], targets: Sequence[int]) -> list[tuple[ReadThroughCache, int]]:
        """The reads that these conditions and targets take, each once, by the cache that it goes through."""
        if self.pairs.is_paired:
            return [(self._caches[0], index) for index in sorted({*conditions, *targets})]
        by_side = zip(self._caches, (conditions, targets), strict=True)
        return [(cache, index) for cache, indices in by_side for index in indices]

    def prepare(self, pair: Pair) -> PreparedPair:
        """Orient and fit a pair; `DataError` if it does not match its dataset's declaration, or the scale."""
        require_pair(pair, self.pairs.description)
        require_mask(pair, self.pairs)
        condition, target = self._oriented(pair.a, pair.b)
        if self.pairs.is_paired:
            _require_sizes(condition.shape[:2], target.shape[:2], self.scale, self.resize, pair.key)
        images = (self._prepared(condition, 0, pair.key), self._prepared(target, 1, pair.key))
        if not self.is_masked:
            return PreparedPair(pair.key, *images)
        mask = None if pair.mask is None else self._fitted(pair.mask.astype(np.uint8), MASK, 1, pair.key)
        return PreparedPair(pair.key, *images, joint_mask(mask, self.sides, images))

    def prepare_side(self, found: SideImage, name: SideName) -> Tensor:
        """Fit an image of one side; `DataError` if it does not match its dataset's declaration."""
        return self._prepared(found.image, self.names.index(name), found.key)

    def _decode_pair(self, index: int) -> Record:
        key, *images = self.prepare(self.pairs[index])
        return Record(key, tuple(image for image in images if image is not None))

    def _decode_side(self, place: int, index: int) -> Record:
        require_side_image(found := self.pairs.read_side(index, self.names[place]), self.pairs.description)
        return Record(found.key, (self._prepared(found.image, place, found.key),))

    def _prepared(self, array: NDArray[np.generic], place: int, key: str) -> Tensor:
        """A condition (place 0) or target (1) at its size, or as large as it is stored."""
        return self._fitted(array, self.sides[place], place, f"{key}, side {self.names[place]}")

    def _fitted(self, array: NDArray[np.generic], side: TensorSpec, place: int, where: str) -> Tensor:
        scale = self.scale if place else 1
        return fit(to_tensor(array, side, where), side, self.sizes[place], self.resize, scale, where)

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
        return OneHotLabels(target.palette, target.ignore)


def _factor(small: tuple[int, ...], large: tuple[int, ...]) -> int | None:
    """Factor from one height and width to another; None if it is not the same integer for both."""
    factor = large[0] // max(1, small[0])
    return factor if factor > 1 and large == tuple(factor * side for side in small) else None


def _require_sizes(condition: tuple[int, ...], target: tuple[int, ...], scale: int, how: Resize, key: str) -> None:
    """Check that both sides of a pair have one size, or that the target is stored `scale` times as large."""
    larger_target = tuple(scale * side for side in condition)
    if target == larger_target or (target == condition and how != "none"):
        return
    sizes = " and ".join("x".join(map(str, size)) for size in (condition, target))
    if target == condition:
        hint = f'With input.resize = "none", targets are stored {scale} times as high and wide as conditions.'
        raise DataError(f"its sides have one height and width: {sizes}", where=key, hint=hint)
    if factor := _factor(condition, target):
        hint = f"For a target {factor} times as high and wide as the condition, set input.scale = {factor}."
    elif _factor(target, condition):
        hint = "The condition is the larger one: swap input.direction, or give both sides one size."
    else:
        larger = "" if scale == 1 else f", or a target {scale} times as high and wide (input.scale)"
        hint = f"Both images of a pair need the same size, pixel for pixel{larger}."
    raise DataError(f"its sides differ in height and width: {sizes}", where=key, hint=hint)
