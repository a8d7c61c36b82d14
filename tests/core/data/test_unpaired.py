"""Sides without pairs: drawn each by itself, read once, and walked in parallel where pairs are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.core.toys import JITTER_AND_FLIP, MemoryPairs, noise, pictures

from genlab import Augmentation, Batch, DataError, ImageSide, Pairs, SideImage, SideName, Unpaired
from genlab.config.schema import Input
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.batches import Batches
from genlab.data.check import Selection, check_pairs
from genlab.data.order import draw
from genlab.data.pair_store import PairStore
from genlab.data.prepared import PreparedPairs
from genlab.data.ranges import settle_ranges

PLAIN = Input(size=8)


class Zoo(Unpaired):
    """Images in memory; it counts how often each is read, and cannot read those in `broken`."""

    def __init__(
        self, a: Sequence[NDArray[np.generic]], b: Sequence[NDArray[np.generic]], broken: Sequence[str] = ()
    ) -> None:
        super().__init__(ImageSide(), ImageSide(), "a zoo")
        self.arrays: dict[SideName, Sequence[NDArray[np.generic]]] = {"a": a, "b": b}
        self.broken = broken
        self.reads = Counter[str]()

    def count_of(self, side: SideName) -> int:
        return len(self.arrays[side])

    def read_side(self, index: int, side: SideName) -> SideImage:
        self.reads[key := f"{side}{index}"] += 1
        if key in self.broken:
            raise DataError("cannot be read", where=key)
        return SideImage(key, self.arrays[side][index])


def plain(count: int, start: int) -> list[NDArray[np.uint8]]:
    """Images of one color each, which is their number."""
    return [np.full((8, 8, 3), start + number, np.uint8) for number in range(count)]


def zoo(a: int = 3, b: int = 5, **more) -> Zoo:
    """Images whose color is their number, counted from 0 on the first side, and from 100 on the second."""
    return Zoo(plain(a, 0), plain(b, 100), **more)


def batches(
    pairs: Pairs,
    settings: Input = PLAIN,
    size: int = 1,
    seed: int = 0,
    augmentations: Mapping[str, Augmentation] = MappingProxyType({}),
    **more,
) -> Batches:
    steps = augmentation_steps(augmentations, settings.height_width)
    prepared = PreparedPairs(pairs, settings, load_size(steps, settings.height_width), **more)
    return Batches(prepared, steps, seed, size, in_pairs=False)


def first(count: int, made: Batches, start: int = 0) -> list[Batch]:
    stream = made.starting_at(start)
    found = list(islice(stream, count))
    stream.close()
    return found


def numbers(images: Sequence[torch.Tensor]) -> list[int]:
    return [round((float(image.mean()) + 1) * 127.5) for batch in images for image in batch]


def drawn(made: list[Batch]) -> tuple[list[int], list[int]]:
    """Which conditions and targets came, in order."""
    return numbers([batch.condition for batch in made]), numbers([batch.target for batch in made])


# Order


@pytest.mark.parametrize("sizes", [(3, 5), (5, 3)])
def test_pairs_of_the_first_epoch_are_those_of_its_batches(sizes):
    made = batches(zoo(*sizes), augmentations=JITTER_AND_FLIP)
    order = [draw(0, position, sizes[0]).index for position in range(sizes[0])]
    assert len(set(order)) == sizes[0]
    for pair, batch in zip(made.first_epoch(order), first(sizes[0], made), strict=True):
        for stored, side in zip((pair.condition, pair.target), batch.sides, strict=True):
            assert torch.equal(stored / 127.5 - 1, side[0])
    repeated = made.first_epoch([0, sizes[0]])
    assert torch.equal(repeated[0].condition, repeated[1].condition), "there are more targets than conditions"


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_each_side_has_epochs_of_its_own(size, direction):
    found = drawn(first(60 // size, batches(zoo(), Input(size=8, direction=direction), size)))
    a, b = found if direction == "a_to_b" else reversed(found)
    assert all(sorted(a[start : start + 3]) == [0, 1, 2] for start in range(0, 60, 3))
    assert all(sorted(b[start : start + 5]) == [100, 101, 102, 103, 104] for start in range(0, 60, 5))


def test_a_condition_meets_any_target():
    conditions, targets = drawn(first(200, batches(zoo(4, 4))))
    assert len(set(zip(conditions, targets, strict=True))) == 16


def test_pairs_can_be_drawn_without():
    """Each side comes once in an epoch, and seldom with its partner."""
    arrays = plain(6, 0)
    conditions, targets = drawn(first(60, batches(MemoryPairs(arrays, arrays))))
    assert all(sorted(side[start : start + 6]) == list(range(6)) for side in (conditions, targets) for start in (0, 54))
    assert sum(map(int.__eq__, conditions, targets)) < 30


def test_each_side_has_a_crop_and_a_flip_of_its_own():
    """Of an image with a ramp in each direction, the corner tells the crop, and the order the flip."""
    ramp = np.stack(np.broadcast_arrays(*np.ogrid[:12, :12], 0), axis=2).astype(np.uint8)
    found = first(200, batches(Zoo([ramp], [ramp]), augmentations=JITTER_AND_FLIP))
    assert sum(torch.equal(batch.condition, batch.target) for batch in found) < 20
    flips = {
        (
            bool(batch.condition[0, 1, 0, 0] > batch.condition[0, 1, 0, 1]),
            bool(batch.target[0, 1, 0, 0] > batch.target[0, 1, 0, 1]),
        )
        for batch in found
    }
    assert len(flips) == 4


@pytest.mark.parametrize("start", [1, 7])
@pytest.mark.parametrize("size", [1, 4])
def test_can_be_begun_anywhere_and_the_batch_size_only_cuts_the_sequence(start, size):
    arrays = Zoo(noise(3, 12, 12, 3), noise(5, 12, 12, 3, seed=1))
    whole = first(48, batches(arrays, augmentations=JITTER_AND_FLIP))
    part = first(3, batches(arrays, size=size, augmentations=JITTER_AND_FLIP), start)
    for side in ("condition", "target"):
        expected = torch.cat([getattr(batch, side) for batch in whole])[start * size : (start + 3) * size]
        assert torch.equal(torch.cat([getattr(batch, side) for batch in part]), expected)


def test_conditions_are_drawn_as_pairs_are():
    """So that nothing but the targets changes where pairs are drawn without."""
    arrays = plain(6, 0)
    conditions, _ = drawn(first(12, batches(MemoryPairs(arrays, arrays))))
    assert conditions == [draw(0, position, 6).index for position in range(12)]


# Reading


def test_an_image_is_read_once_and_only_if_it_is_drawn():
    pairs = zoo(50, 3)
    made = batches(pairs)
    conditions, targets = made.indices(0, 10)
    check_pairs([Selection(made.pairs, conditions, targets)], lambda _done, _total: None)
    assert pairs.reads == Counter({f"a{index}": 1 for index in conditions} | {f"b{index}": 1 for index in range(3)})
    assert set(drawn(first(10, made))[0]) == set(conditions)
    # Two threads that read ahead into the next epoch may decode another image at the same time.
    assert {pairs.reads[key] for key in (*(f"a{index}" for index in conditions), "b0", "b1", "b2")} == {1}


@pytest.mark.parametrize("span", [(0, 2), (3, 9), (0, 100)])
def test_what_will_be_drawn_is_known_before(span):
    made = batches(zoo(7, 5), size=2)
    conditions, targets = drawn(first(span[1] - span[0], made, span[0]))
    known_conditions, known_targets = made.indices(*span)
    assert (sorted(set(conditions)), sorted(set(targets))) == (
        known_conditions,
        [100 + index for index in known_targets],
    )


def test_all_that_cannot_be_read_are_listed():
    made = batches(zoo(4, 6, broken=["a1", "b4"]))
    with pytest.raises(DataError) as caught:
        check_pairs([Selection.of_pairs(made.pairs, range(6))], lambda _done, _total: None)
    assert "a1" in str(caught.value) and "b4" in str(caught.value)


def test_an_image_that_is_in_a_store_is_not_read_at_all(tmp_path: Path):
    pairs = zoo()

    def prepared() -> PreparedPairs:
        stores: list[PairStore] = []
        for side in ("a", "b"):
            (tmp_path / side).mkdir(exist_ok=True)
            stores.append(PairStore(tmp_path / side, pairs.count_of(side), 2**20))
        return PreparedPairs(pairs, PLAIN, (8, 8), stores=stores)

    written = [prepared()[index] for index in range(5)]
    pairs.reads.clear()
    read = prepared()
    for index, before in enumerate(written):
        assert read[index].key == before.key
        assert torch.equal(read[index].condition, before.condition) and torch.equal(read[index].target, before.target)
    assert not pairs.reads


def test_seen_as_pairs_the_sides_are_walked_in_parallel():
    pairs = zoo()
    assert [pair.key for pair in pairs] == ["a0 | b0", "a1 | b1", "a2 | b2", "a0 | b3", "a1 | b4"]
    backwards = PreparedPairs(pairs, Input(size=8, direction="b_to_a"), (8, 8))
    assert len(backwards) == 5 and backwards.counts == (5, 3)
    assert [backwards[index].key for index in range(5)] == [pair.key for pair in pairs]
    assert [int(backwards[index].condition[0, 0, 0]) for index in range(5)] == [100, 101, 102, 103, 104]


def test_images_of_any_size_are_no_fault():
    prepared = PreparedPairs(Zoo(noise(2, 5, 9, 3), noise(1, 16, 4, 3)), PLAIN, (8, 8))
    assert prepared[1].condition.shape == prepared[1].target.shape == (3, 8, 8)


@pytest.mark.parametrize(("a", "b"), [(0, 3), (3, 0)])
def test_a_side_without_images_is_refused(a, b):
    with pytest.raises(DataError, match="no pairs"):
        PreparedPairs(zoo(a, b), PLAIN, (8, 8))


def test_what_is_no_image_of_a_side_is_refused():
    class Arrays(Zoo):
        def read_side(self, index: int, side: SideName) -> SideImage:
            return self.arrays[side][index]

    prepared = PreparedPairs(Arrays(plain(1, 0), plain(1, 0)), PLAIN, (8, 8))
    with pytest.raises(DataError, match=r"expected a genlab\.SideImage with a key, got a ndarray"):
        prepared[0]


def test_ranges_are_measured_on_each_image_once():
    pairs = zoo()
    settled = settle_ranges(Input(range_b={"percentiles": (0.0, 100.0)}), pairs)
    assert settled.range_b == (100.0, 104.0)
    assert pairs.reads == Counter({f"b{index}": 1 for index in range(5)})


def test_a_fingerprint_reads_each_image_once_and_knows_all():
    pairs = zoo()
    fingerprint = pairs.fingerprint()
    assert set(pairs.reads.values()) == {1} and len(pairs.reads) == 8
    arrays = pairs.arrays
    others = [
        Zoo(arrays["b"], arrays["a"]),
        Zoo(arrays["a"], arrays["b"][:4]),
        Zoo([*arrays["a"][:2], arrays["a"][2] + 1], arrays["b"]),
    ]
    assert len({fingerprint, *(other.fingerprint() for other in others)}) == 4


def test_sizes_are_those_of_a_side():
    pairs = Zoo(noise(3, 5, 9, 3), noise(100, 6, 4, 3))
    assert set(pairs.sizes("a")) == {(5, 9)} and set(pairs.sizes("b")) == {(6, 4)}
    assert sum(pairs.reads.values()) <= 64 + 3
    assert pictures(3).sizes("b") == [(8, 8)] * 3
