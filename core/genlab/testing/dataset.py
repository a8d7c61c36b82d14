"""Conformance tests of datasets."""

from __future__ import annotations

import math
import pickle
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import ClassVar, cast, get_args

import numpy as np

from genlab.data.masks import require_mask
from genlab.data.order import evenly_spaced
from genlab.data.sides import to_tensor
from genlab.errors import DataError
from genlab.interfaces.dataset import (
    SIDE_NAMES,
    Choice,
    Dataset,
    ImageSide,
    LabelSide,
    Pair,
    Pairs,
    Side,
    SideImage,
    SideName,
    Split,
    TrainingSplit,
    require_pair,
)
from genlab.testing.suite import ConformanceError, Suite, require
from genlab.testing.threads import read_in_turns

TRAINING: tuple[Split, ...] = get_args(TrainingSplit)
_PURPOSES: dict[Split, str] = {"train": "train", "validation": "validate", "test": "test"}
_PATIENCE = 3.0
_READS = 60
"""So many pairs are read by threads that take turns, the same ones again if need be."""


class DatasetSuite(Suite):
    """A dataset's part of the contract."""

    kind = "dataset"
    most: ClassVar[int] = 32
    """How many pairs of a split are read, spread over all."""

    def dataset(self) -> Dataset:
        """A new dataset with the suite's settings."""
        return self.construct()

    def pairs(self, split: Split) -> Pairs:
        """The pairs of a split, of the dataset that this one chooses."""
        return self.dataset().choose().dataset.open(split)

    def splits(self) -> Sequence[Split]:
        """Those that the dataset that this one chooses can open."""
        found: Sequence[Split] = [*self.dataset().choose().dataset.available_splits()]
        known = len({*found}) == len(found) and {*TRAINING} <= {*found} <= {*get_args(Split)}
        require(known, f"available_splits() gives {found}; expected train, validation, and perhaps test")
        return found

    def indices(self, pairs: Pairs) -> list[int]:
        """Those that are read, the last among them."""
        return sorted({*evenly_spaced(len(pairs), self.most), *range(len(pairs))[-1:]})

    def _images(self, pairs: Pairs, side: SideName) -> list[np.ndarray]:
        """The images of a side that are read."""
        return [pairs.read_side(index % pairs.count_of(side), side).image for index in self.indices(pairs)]

    def test_it_can_be_had(self) -> None:
        """It tells within three seconds if its source is available."""
        dataset = self.dataset()
        began = time.perf_counter()
        dataset.probe()
        seconds = time.perf_counter() - began
        require(seconds <= _PATIENCE, f"its probe took {seconds:.1f} s, and may take {_PATIENCE:g}")
        choice = cast(object, dataset.choose())
        require(isinstance(choice, Choice), f"choose() returns a {type(choice).__name__}; expected a Choice")

    def test_its_splits_have_pairs(self) -> None:
        """Each split has some, and says in one line what they are."""
        for split in self.splits():
            pairs = cast(object, self.dataset().choose().dataset.open(split))
            if not isinstance(pairs, Pairs):
                raise ConformanceError(f'open("{split}") returns a {type(pairs).__name__}; expected Pairs')
            constructed = all(hasattr(pairs, name) for name in ("a", "b", "description"))
            require(constructed, f"the constructor of {type(pairs).__name__} does not call that of genlab.Pairs")
            require(len(pairs) > 0, f"there are no pairs to {_PURPOSES[split]}")
            require(pairs.description.strip(), f"the pairs of {split} have no description")
            require("\n" not in pairs.description, f"the description of {split} has several lines")
            sides = all(isinstance(cast(object, side), ImageSide | LabelSide) for side in (pairs.a, pairs.b))
            require(sides, f"the sides of {split} are not declared as ImageSide or LabelSide")

    def test_pairs_are_what_their_sides_declare(self) -> None:
        """Arrays have the channels, the type and the values that are declared, and sizes that belong together.

        Both sides of a pair have one height and width, or one is a whole number of times as large as the other. A
        mask is there if it is declared, and as large as the larger side.
        """
        for split in self.splits():
            pairs = self.pairs(split)
            for index in self.indices(pairs):
                pair = cast(object, pairs[index])
                require(isinstance(pair, Pair), f"pair {index} of {split} is a {type(pair).__name__}; expected a Pair")
                assert isinstance(pair, Pair)
                _require_sound(pair, pairs)

    def test_sizes_are_those_of_pairs(self) -> None:
        """Heights and widths that it tells without reading pairs are those that pairs have."""
        for split in self.splits():
            pairs = self.pairs(split)
            if type(pairs).sizes is Pairs.sizes:
                continue
            for side in SIDE_NAMES:
                told, found = set(pairs.sizes(side)), {image.shape[:2] for image in self._images(pairs, side)}
                what = f'sizes("{side}") of {split} gives {sorted(told)}, and images have {sorted(found)}'
                require(found <= told, what)

    def test_sides_are_read_as_pairs_are(self) -> None:
        """A side that is read by itself is that of the pair, and there are as many of them as of pairs.

        Sides without pairs have numbers of their own: the shorter one is walked again and again.
        """
        for split in self.splits():
            pairs = self.pairs(split)
            for side in SIDE_NAMES:
                count = cast(object, pairs.count_of(side))
                is_sound = isinstance(count, int) and (count == len(pairs) if pairs.is_paired else count > 0)
                require(is_sound, f"{split} has {len(pairs)} pairs, and {count!r} images of side {side}")
                for index in self.indices(pairs):
                    found = cast(object, pairs.read_side(index % pairs.count_of(side), side))
                    what = f"read_side({index}, {side!r}) of {split}"
                    if not isinstance(found, SideImage):
                        raise ConformanceError(f"{what} gives a {type(found).__name__}; expected a SideImage")
                    require(_same_array(found.image, getattr(pairs[index], side)), f"{what} is not that of the pair")

    def test_keys_are_unique(self) -> None:
        """A pair is known by its key, and without pairs an image of a side."""
        for split in self.splits():
            pairs = self.pairs(split)
            keys = [cast(object, pairs[index].key) for index in self.indices(pairs)]
            require(all(isinstance(key, str) and key for key in keys), f"empty or non-text key in {split}: {keys[:3]}")
            twice = _repeated(keys)
            require(not twice, f"two pairs of {split} have the key {twice and twice[0]!r}")
            for side in () if pairs.is_paired else SIDE_NAMES:
                count = pairs.count_of(side)
                places = sorted({index % count for index in self.indices(pairs)})
                twice = _repeated([pairs.read_side(place, side).key for place in places])
                require(not twice, f"two images of side {side} of {split} have the key {twice and twice[0]!r}")

    def test_the_same_index_gives_the_same_pair(self) -> None:
        """However often it is asked, and of a dataset that is constructed anew."""
        for split in self.splits():
            pairs, again = self.pairs(split), self.pairs(split)
            require(len(pairs) == len(again), f"opened twice, {split} has {len(pairs)} and {len(again)} pairs")
            for index in self.indices(pairs):
                first = pairs[index]
                require(_equal(first, pairs[index]), f"pair {index} of {split} differs each time: never augment")
                require(_equal(first, again[index]), f"pair {index} of {split} differs when opened again")

    def test_it_is_read_from_several_threads(self) -> None:
        """Pairs are read ahead by threads, which must not get into each other's way."""
        pairs = self.pairs("train")
        indices = self.indices(pairs)
        expected: list[Pair] = []
        for index, following in zip(indices, [*indices[1:], indices[0]], strict=True):
            pair = pairs[index]
            expected.append(deepcopy(pair))
            pairs[following]  # as another thread may, while this one still makes use of its own
            require(_equal(pair, expected[-1]), f"pair {index} changes when pair {following} is read after it")
        again = math.ceil(_READS / len(indices))
        for read, times in ((pairs.__getitem__, 1), (partial(read_in_turns, pairs), again)):
            try:
                with ThreadPoolExecutor(4) as pool:
                    found = list(pool.map(read, times * indices))
            except Exception as error:
                what = f"read from several threads at once, it raises {type(error).__name__}: {error}"
                raise ConformanceError(what) from error
            require(all(map(_equal, found, times * expected)), "read from several threads at once, pairs are others")

    def test_it_can_be_sent_to_a_process(self) -> None:
        """Pairs can be pickled, for processes that read them."""
        pairs = self.pairs("train")
        try:
            copy = pickle.loads(pickle.dumps(pairs))
        except Exception as error:
            raise ConformanceError(f"its pairs cannot be pickled: {error}") from error
        same = all(_equal(pairs[index], copy[index]) for index in self.indices(pairs))
        require(len(copy) == len(pairs) and same, "pickled and read back, pairs are others")

    def test_its_fingerprint_is_that_of_its_content(self) -> None:
        """A text, the same each time it is opened, and another for each split."""
        splits = self.splits()
        opened = [self.pairs(split) for split in (*splits, *splits)]
        prints = [cast(object, pairs.fingerprint()) for pairs in opened]
        odd = [each for each in prints if not (isinstance(each, str) and each)]
        require(not odd, f"its fingerprint is {odd and odd[0]!r:.60}; expected text")
        count = len(splits)
        require(prints[:count] == prints[count:], "its fingerprint differs each time")
        require(prints[0] != prints[1], "it validates on the pairs that it trains on: their fingerprints are equal")
        require(len({*prints}) == count, "it tests on the pairs that it trains or validates on, by their fingerprints")

    def test_it_validates_on_other_pairs(self) -> None:
        """Not all of those to validate are among those to train on."""
        train, validation = ([pairs[index] for index in self.indices(pairs)] for pairs in map(self.pairs, TRAINING))
        seen = {_content(pair) for pair in train}
        require(any(_content(pair) not in seen for pair in validation), "it validates on pairs that it trains on")


def _require_sound(pair: Pair, pairs: Pairs) -> None:
    try:
        require_pair(pair, pairs.description)
        require_mask(pair, pairs)
    except DataError as error:
        raise ConformanceError(str(error)) from error
    sizes = [side.shape[:2] for side in (pair.a, pair.b)]
    small, large = sorted(sizes)
    fits = all(small) and large == tuple(large[0] // small[0] * side for side in small)
    require(fits or not pairs.is_paired, f"{pair.key}: its sides have {sizes[0]} and {sizes[1]} for height and width")
    for array, side in ((pair.a, pairs.a), (pair.b, pairs.b)):
        try:
            to_tensor(array, _ranged(side), pair.key)
        except DataError as error:
            raise ConformanceError(str(error)) from error
        if isinstance(side, ImageSide) and side.range and array.dtype.kind == "f":
            _require_in_range(array, side.range, pair.key)


def _ranged(side: Side) -> Side:
    """A side as a recipe may complete it: of one whose type is declared it may say the range."""
    if isinstance(side, ImageSide) and side.dtype and side.range is None and np.dtype(side.dtype).kind != "u":
        return replace(side, range=(0.0, 1.0))
    return side


def _require_in_range(array: np.ndarray, declared: tuple[float, float], key: str) -> None:
    """Resizing may have gone a little beyond."""
    (low, high), given = declared, (float(array.min()), float(array.max()))
    margin = 0.25 * (high - low)
    what = f"{key}: its values go from {given[0]:g} to {given[1]:g}, and {low:g} to {high:g} is declared"
    require(low - margin <= given[0] and given[1] <= high + margin, what)


def _repeated(keys: Sequence[object]) -> list[object]:
    return [key for key, count in Counter(keys).items() if count > 1]


def _content(pair: Pair) -> tuple[bytes, bytes]:
    return pair.a.tobytes(), pair.b.tobytes()


def _equal(one: Pair, other: Pair) -> bool:
    return one.key == other.key and all(map(_same_array, one[1:], other[1:]))


def _same_array(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
