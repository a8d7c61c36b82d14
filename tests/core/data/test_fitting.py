"""Images of any aspect fitted to one size, and crops of images as they are stored."""

from __future__ import annotations

from contextlib import closing
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.core.toys import MemoryPairs, noise

from genlab import Batch, DataError, ImageSide, LabelSide
from genlab.config.schema import Input
from genlab.data.batches import Batches
from genlab.data.check import Selection, check_pairs
from genlab.data.pair_store import PairStore
from genlab.data.prepared import PreparedPairs
from genlab.data.scaled_size import scaled_size

PALETTE = tuple((value, value, value) for value in range(256))
LABELS = (LabelSide(PALETTE), LabelSide(PALETTE))


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    """A map in which the row and the column of each pixel can be read."""
    rows, columns = np.ogrid[:height, :width]
    return (16 * rows + columns).astype(np.uint8)


def prepared(array: NDArray[np.uint8], *, target: NDArray[np.uint8] | None = None, **settings) -> PreparedPairs:
    chosen = Input(**{"size": 4, **settings})
    pairs = MemoryPairs([array], [array if target is None else target], LABELS)
    return PreparedPairs(pairs, chosen, chosen.height_width)


def places(pairs: PreparedPairs) -> list[list[tuple[int, int]]]:
    """Row and column of each pixel of the first condition."""
    return [[divmod(value, 16) for value in row] for row in pairs[0].condition[0].tolist()]


@pytest.mark.parametrize(
    ("how", "stored", "resized"),
    [
        ("stretch", (30, 50), (4, 8)),
        ("crop", (30, 50), (5, 8)),
        ("pad", (30, 50), (4, 7)),
        ("none", (30, 50), (30, 50)),
        ("crop", (2, 2), (8, 8)),
        ("pad", (2, 2), (4, 4)),
        ("crop", (4, 8), (4, 8)),
        ("pad", (1000, 1), (4, 1)),
    ],
)
def test_an_image_covers_the_size_or_fits_into_it(how, stored, resized):
    assert scaled_size(stored, (4, 8), how) == resized
    large = tuple(3 * side for side in stored)
    assert scaled_size(large, (4, 8), how) == (resized if how != "none" else large)


def test_a_crop_takes_the_middle_at_the_aspect_of_the_image():
    assert places(prepared(ramp(4, 10), resize="crop")) == [
        [(row, column) for column in range(3, 7)] for row in range(4)
    ]
    assert places(prepared(ramp(8, 20), resize="crop"))[0] == [(1, column) for column in (7, 9, 11, 13)]


def test_padding_repeats_the_borders():
    assert places(prepared(ramp(2, 4), resize="pad")) == [
        [(row, column) for column in range(4)] for row in (0, 0, 1, 1)
    ]


@pytest.mark.parametrize(("how", "stored"), [("crop", (7, 12)), ("pad", (4, 7)), ("none", (9, 14))])
def test_a_larger_target_stays_aligned(how, stored):
    small = ramp(*stored)
    pair = prepared(small, target=small.repeat(2, axis=0).repeat(2, axis=1), scale=2, size=7, resize=how)[0]
    assert pair.condition.shape == (1, 7, 7) and pair.target.shape == (1, 14, 14)
    assert torch.equal(pair.condition.repeat_interleave(2, 1).repeat_interleave(2, 2), pair.target)


# Crops at the stored scale


def read(pairs: PreparedPairs, count: int, first: int = 0, size: int = 1) -> list[Batch]:
    with closing(Batches(pairs, [], 0, size).starting_at(first)) as batches:
        return list(islice(batches, count))


def corner(image: torch.Tensor) -> int:
    return round(float(image[0, 0, 0]) * 127.5 + 127.5)


def test_crops_are_random_in_training_and_in_the_middle_otherwise():
    pairs = prepared(ramp(6, 9), resize="none")
    assert places(pairs)[0] == [(1, column) for column in (3, 4, 5, 6)]
    found = read(pairs, 200)
    corners = {divmod(corner(batch.condition[0]), 16) for batch in found}
    assert corners == {(row, column) for row in range(3) for column in range(6)}
    for batch in found:
        assert torch.equal(batch.condition, batch.target)
        assert batch.condition[0, 0].diff(dim=1).mul(127.5).round().eq(1).all(), "pixels stay as they are stored"


def test_crops_depend_on_nothing_but_seed_epoch_and_image():
    arrays = noise(3, 9, 11, 3)
    pairs = PreparedPairs(MemoryPairs(arrays, arrays), Input(size=4, resize="none"), (4, 4), cache_bytes=0)
    singles = [batch.condition for batch in read(pairs, 12)]
    assert torch.equal(torch.cat(singles[4:12]), torch.cat([batch.condition for batch in read(pairs, 2, 1, 4)]))


def test_sides_without_pairs_have_crops_of_their_own():
    pairs = prepared(ramp(6, 9), resize="none")
    with closing(Batches(pairs, [], 0, 1, in_pairs=False).starting_at(0)) as batches:
        found = list(islice(batches, 50))
    assert sum(corner(batch.condition[0]) == corner(batch.target[0]) for batch in found) < 15


def test_images_that_are_smaller_are_refused_by_their_names():
    arrays = [*noise(2, 5, 5, 3), *noise(1, 3, 9, 3), *noise(1, 9, 3, 3)]
    pairs = PreparedPairs(MemoryPairs(arrays, arrays), Input(size=4, resize="none"), (4, 4))
    with pytest.raises(DataError) as caught:
        check_pairs([Selection.of_pairs(pairs, range(4))], lambda *_: None)
    assert "pair 2, side a: it is 3 x 9, and crops of 4 x 4 are taken from it" in str(caught.value)
    assert "pair 3" in str(caught.value)
    with pytest.raises(DataError, match="crops of 4 x 4"):
        pairs[2]


def test_the_cache_keeps_whole_images(tmp_path):
    arrays = noise(2, 9, 11, 3)
    for _ in range(2):
        store = PairStore(tmp_path, 2, 2**20)
        source = MemoryPairs(arrays, arrays)
        pairs = PreparedPairs(source, Input(size=4, resize="none"), (4, 4), stores=[store])
        crops = {batch.condition.numpy().tobytes() for batch in read(pairs, 20)}
        assert len(crops) > 10
    assert source.reads == [0, 0]


def test_targets_at_the_stored_scale_are_stored_larger():
    array = ramp(8, 8)
    with pytest.raises(DataError, match="one height and width: 8x8 and 8x8") as caught:
        prepared(array, scale=2, resize="none")[0]
    assert "2 times as high and wide" in caught.value.hint


def test_values_are_padded_too():
    sides = (ImageSide(1), ImageSide(1))
    array = np.arange(4, dtype=np.uint16).reshape(2, 2, 1)
    pairs = PreparedPairs(MemoryPairs([array], [array], sides), Input(size=(2, 4), resize="pad"), (2, 4))
    values = (pairs[0].condition[0] / 255 * 65_535).round().tolist()
    assert values == [[0, 0, 1, 1], [2, 2, 3, 3]]
