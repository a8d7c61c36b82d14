import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tests.core.toys import MemoryPairs, noise, pictures

from genlab import DataError, ImageSide, LabelSide, Pair
from genlab.config.schema import Input
from genlab.data.pair_store import PairStore
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import OneHotLabels

BYTES = 2 * 3 * 8 * 8
"""Of one pair of `pictures`."""


def prepared(pairs: MemoryPairs, **settings) -> PreparedPairs:
    return PreparedPairs(pairs, Input(size=8, **settings), (8, 8))


def channels_first(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.transpose(2, 0, 1).copy())


def test_gives_condition_and_target_with_the_key():
    pairs = pictures(2)
    key, condition, target, mask = prepared(pairs)[1]
    assert key == "pair 1"
    assert torch.equal(condition, channels_first(pairs.arrays[1][0]))
    assert torch.equal(target, channels_first(pairs.arrays[1][1]))
    assert mask is None


def test_the_direction_says_which_side_is_the_condition():
    labels = LabelSide(((0, 0, 0), (255, 255, 255)))
    gray = [array[..., :1] for array in noise(1, 8, 8, 3)]
    pairs = MemoryPairs(gray, [np.ones((8, 8), np.uint8)], (ImageSide(1), labels))
    forwards, backwards = prepared(pairs), prepared(pairs, direction="b_to_a")
    assert (forwards.sides, forwards.channels) == ((ImageSide(1), labels), (1, 3))
    assert (backwards.sides, backwards.channels) == ((labels, ImageSide(1)), (3, 1))
    assert torch.equal(forwards[0].condition, backwards[0].target)
    assert torch.equal(forwards[0].target, backwards[0].condition)
    assert not torch.equal(forwards[0].condition, forwards[0].target)


def test_a_target_of_classes_has_a_channel_each_and_a_condition_its_colors():
    labels = LabelSide(((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0)))
    pairs = MemoryPairs([np.full((8, 8), 3, np.uint8)], [np.ones((8, 8), np.uint8)], (labels, labels))
    classes = PreparedPairs(pairs, Input(size=8), (8, 8), "classes")
    assert (classes.sides.condition, classes.sides.target) == (labels, OneHotLabels(labels.palette))
    assert classes.channels == (3, 4)
    assert classes[0].target.unique().tolist() == [1]


@pytest.mark.parametrize(("direction", "side"), [("a_to_b", "side b"), ("b_to_a", "side a")])
def test_classes_cannot_be_predicted_of_an_image(direction: str, side: str):
    with pytest.raises(DataError, match=f"predicts classes, .*label map; {side} is an image") as caught:
        PreparedPairs(pictures(1), Input(size=8, direction=direction), (8, 8), "classes")
    assert "labels_from_colors" in caught.value.hint


@pytest.mark.parametrize("size", [(4, 6), (9, 7)])
def test_pairs_have_one_size_whatever_they_are_stored_at(size):
    arrays = [noise(1, *stored, 3)[0] for stored in ((8, 8), (5, 20), (4, 6))]
    pairs = PreparedPairs(MemoryPairs(arrays, arrays), Input(size=(4, 6)), size)
    found = [pairs[index] for index in range(3)]
    assert {tuple(side.shape) for pair in found for side in (pair.condition, pair.target)} == {(3, *size)}


def test_sides_that_differ_in_size_are_refused():
    pairs = prepared(MemoryPairs(noise(1, 8, 8, 3), noise(1, 8, 9, 3)))
    with pytest.raises(DataError, match="differ in height and width: 8x8 and 8x9") as caught:
        pairs[0]
    assert caught.value.where == "pair 0"


def test_an_array_that_is_not_as_declared_names_its_pair():
    pairs = prepared(MemoryPairs(noise(2, 8, 8, 3), noise(2, 8, 8, 1)))
    with pytest.raises(DataError, match="expected an image of 3 channels as declared") as caught:
        pairs[1]
    assert caught.value.where == "pair 1, side b"


def test_no_pairs_at_all_are_refused():
    with pytest.raises(DataError, match="no pairs") as caught:
        prepared(MemoryPairs([], []))
    assert caught.value.where == "pairs in memory"


def test_a_pair_that_fits_into_memory_is_read_once():
    pairs = pictures(3)
    cached = prepared(pairs)
    first = [cached[index] for index in range(3)]
    assert all(torch.equal(cached[index].target, first[index].target) for index in range(3))
    assert pairs.reads == [1, 1, 1]


def test_a_pair_that_is_in_the_store_is_not_read_at_all(tmp_path):
    pairs = pictures(3, 12, 12)
    first, second = (
        PreparedPairs(pairs, Input(size=8), (8, 8), stores=[PairStore(tmp_path, len(pairs), 2**20)]) for _ in range(2)
    )
    for index in (2, 0):
        assert torch.equal(second[index].target, first[index].target)
        assert second[index].key == first[index].key
    assert pairs.reads == [1, 0, 1]
    assert second[1].key == "pair 1"
    assert pairs.reads == [1, 1, 1]


@pytest.mark.parametrize(("room", "reads"), [(0, [3, 3, 3]), (2 * BYTES - 1, [1, 3, 3]), (2 * BYTES, [1, 1, 3])])
def test_the_rest_is_read_each_time(room, reads):
    pairs = pictures(3)
    cached = PreparedPairs(pairs, Input(size=8), (8, 8), cache_bytes=room)
    for _ in range(3):
        for index in range(3):
            assert torch.equal(cached[index].condition, channels_first(pairs.arrays[index][0]))
    assert pairs.reads == reads


class Together(MemoryPairs):
    """Lets a pair be read only by two threads at the same time."""

    def __init__(self, pairs: MemoryPairs) -> None:
        arrays = zip(*pairs.arrays, strict=True)
        super().__init__(*arrays)
        self.barrier = threading.Barrier(2)

    def __getitem__(self, index: int) -> Pair:
        self.barrier.wait(timeout=10)
        return super().__getitem__(index)


def test_two_threads_that_read_one_pair_take_its_memory_once():
    together = Together(pictures(3))
    cached = PreparedPairs(together, Input(size=8), (8, 8), cache_bytes=2 * BYTES)
    with ThreadPoolExecutor(2) as pool:
        for index in (0, 1):
            one, other = (pool.submit(cached.__getitem__, index) for _ in range(2))
            assert torch.equal(one.result().condition, other.result().condition)
    for index in (0, 1):
        assert torch.equal(cached[index].condition, channels_first(together.arrays[index][0]))
    assert together.reads == [2, 2, 0]


def test_many_threads_read_the_right_pairs():
    pairs = pictures(20)
    cached = PreparedPairs(pairs, Input(size=8), (8, 8), cache_bytes=10 * BYTES)
    with ThreadPoolExecutor(8) as pool:
        indices = [index for _ in range(10) for index in range(20)]
        found = list(pool.map(cached.__getitem__, indices))
    assert [pair.key for pair in found] == [f"pair {index}" for index in indices]
    before = sum(pairs.reads)
    for index in range(20):
        cached[index]
    assert sum(pairs.reads) == before + 10
