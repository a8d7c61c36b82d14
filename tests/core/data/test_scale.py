"""Targets larger than conditions: sizes, crops that stay aligned, and pictures."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tests.core.toys import JITTER_AND_FLIP, MemoryPairs, noise

from genlab import DataError, ImageSide, LabelSide
from genlab.config.schema import Evaluate, Input
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.batches import Batches
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_network
from genlab.data.view import view_pairs


def enlarged(array: NDArray[np.generic], scale: int) -> NDArray[np.generic]:
    return array.repeat(scale, axis=0).repeat(scale, axis=1)


def prepared(a: list[NDArray[np.generic]], b: list[NDArray[np.generic]], **settings) -> PreparedPairs:
    chosen = Input(**{"size": 8, "scale": 2, **settings})
    return PreparedPairs(MemoryPairs(a, b), chosen, chosen.height_width)


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_crops_and_flips_stay_aligned(scale, direction):
    """Where targets are conditions enlarged, they are so after every crop and flip."""
    small = noise(4, 12, 12, 3)
    large = [enlarged(array, scale) for array in small]
    sides = (small, large) if direction == "a_to_b" else (large, small)
    steps = augmentation_steps(JITTER_AND_FLIP, (8, 8))
    settings = Input(size=8, scale=scale, direction=direction)
    pairs = PreparedPairs(MemoryPairs(*sides), settings, load_size(steps, (8, 8)))
    stream = Batches(pairs, steps, 0, 4).starting_at(0)
    crops = set()
    for batch in islice(stream, 20):
        assert batch.condition.shape == (4, 3, 8, 8) and batch.target.shape == (4, 3, 8 * scale, 8 * scale)
        assert torch.equal(F.interpolate(batch.condition, scale_factor=scale, mode="nearest"), batch.target)
        crops |= {image.numpy().tobytes() for image in batch.condition}
    stream.close()
    assert len(crops) > 40


@pytest.mark.parametrize("stored", [(8, 8), (8, 16), (16, 16), (32, 64), (5, 10)])
def test_sides_are_stored_in_one_size_or_by_the_scale(stored):
    """With b twice as large as a, or both of one size, the target is as large as the scale says."""
    a, b = ([np.full((side, side, 3), 7, np.uint8)] for side in stored)
    pair = prepared(a, b)[0]
    assert pair.condition.shape == (3, 8, 8) and pair.target.shape == (3, 16, 16)


def test_a_target_of_one_size_keeps_its_detail():
    """It is not made from the condition's size."""
    array = noise(1, 16, 16, 3)
    pair = prepared(array, array)[0]
    assert torch.equal(pair.target, torch.from_numpy(array[0].transpose(2, 0, 1).copy()))
    assert pair.condition.float().std() < pair.target.float().std()


@pytest.mark.parametrize(
    ("a", "b", "scale", "hint"),
    [
        ((8, 8), (16, 16), 1, "set input.scale = 2"),
        ((8, 8), (24, 24), 2, "set input.scale = 3"),
        ((8, 8), (16, 24), 2, "or a target 2 times as high and wide"),
        ((8, 8), (8, 9), 1, "the same size, pixel for pixel"),
        ((16, 16), (8, 8), 2, "swap input.direction"),
        ((8, 8), (0, 0), 2, "or a target 2 times as high and wide"),
    ],
)
def test_other_sizes_are_refused_with_a_remedy(a, b, scale, hint):
    pairs = prepared(noise(1, *a, 3), noise(1, *b, 3), scale=scale)
    with pytest.raises(DataError, match="differ in height and width: {}x{} and {}x{}".format(*a, *b)) as caught:
        pairs[0]
    assert caught.value.where == "pair 0"
    assert hint in caught.value.hint


def test_labels_have_the_scale_too():
    labels = LabelSide(((0, 0, 0), (255, 255, 255), (255, 0, 0)))
    maps = [array[..., 0] % 3 for array in noise(1, 8, 8, 3)]
    pairs = MemoryPairs([enlarged(maps[0], 2)], noise(1, 8, 8, 3), (labels, ImageSide()))
    chosen = Input(size=8, scale=2, direction="b_to_a")
    target = PreparedPairs(pairs, chosen, (8, 8), "classes")[0].target
    assert torch.equal(target[0], torch.from_numpy(enlarged(maps[0], 2)))


def test_pictures_have_one_size():
    """A condition is enlarged pixel by pixel, so that it is as it was seen."""
    array = noise(1, 8, 8, 3)
    pairs = prepared(array, [enlarged(array[0], 2)])
    condition, target = view_pairs(pairs, Evaluate())
    pair = pairs[0]
    shown = condition.picture(to_network(pair.condition[None], pairs.sides.condition)[0])
    assert np.array_equal(shown, enlarged(array[0], 2))
    assert np.array_equal(shown, target.picture(to_network(pair.target[None], pairs.sides.target)[0]))
