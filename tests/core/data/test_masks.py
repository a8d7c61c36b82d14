"""Which pixels count: from a pair's mask and its sides' ignored values to batches."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.core.toys import JITTER_AND_FLIP, MemoryPairs, noise

from genlab import Augmentation, Batch, DataError, ImageSide, LabelSide, Pair, Pairs
from genlab.config.schema import Input
from genlab.data.augment import augmentation_steps, load_size
from genlab.data.batches import Batches
from genlab.data.network_batch import to_batch
from genlab.data.order import draw
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import IGNORED_COLOR
from genlab.engine.validation import pair_as_batch
from genlab_augment.affine import Affine
from genlab_augment.d4 import D4

PALETTE = ((0, 0, 0), (255, 0, 0), (10, 20, 30))
CPU = torch.device("cpu")
SMALL = Input(size=8)


def masks(count: int, *shape: int, seed: int = 5) -> list[NDArray[np.bool_]]:
    return [array > 99 for array in noise(count, *shape, seed=seed)]


def labels(count: int, *shape: int, ignored: int = 255) -> list[NDArray[np.generic]]:
    """Maps of three classes and an ignored value."""
    return [np.array([0, 1, 2, ignored], np.uint8 if ignored < 256 else np.uint16)[a % 4] for a in noise(count, *shape)]


def gray(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """A mask as an image, so that it can be compared with one."""
    return np.where(array, np.uint8(255), np.uint8(0))[..., None]


def first(
    pairs: Pairs,
    settings: Input = SMALL,
    augmentations: Mapping[str, Augmentation] = JITTER_AND_FLIP,
    count: int = 6,
    **more,
) -> list[Batch]:
    steps = augmentation_steps(augmentations, settings.height_width)
    prepared = PreparedPairs(pairs, settings, load_size(steps, settings.height_width), **more)
    stream = Batches(prepared, steps, seed=0, batch_size=2).starting_at(0)
    found = list(islice(stream, count))
    stream.close()
    return found


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad", "none"])
@pytest.mark.parametrize(
    "augmentations",
    [
        JITTER_AND_FLIP,
        {"d4": D4()},
        {"affine": Affine(rotation=20.0, scale=0.2, shift=0.1)},
    ],
)
def test_a_mask_moves_with_both_sides(resize, augmentations):
    """Both sides are labels of where they count, so that each move can be told."""
    counted = masks(5, 12, 12)
    side = LabelSide(((0, 0, 0), (255, 255, 255)))
    shown = [mask.astype(np.uint8) for mask in counted]
    for batch in first(
        MemoryPairs(shown, shown, (side, side), masks=counted), Input(size=8, resize=resize), augmentations
    ):
        assert batch.mask is not None
        assert batch.mask.dtype == torch.bool
        assert batch.mask.shape == (2, 1, 8, 8)
        assert torch.equal(batch.mask, batch.target[:, :1] > 0)
        assert torch.equal(batch.mask, batch.condition[:, :1] > 0)


@pytest.mark.parametrize("in_pairs", [True, False])
def test_pairs_of_the_first_epoch_are_those_of_its_batches(in_pairs):
    pairs = MemoryPairs(noise(5, 12, 12, 3), noise(5, 12, 12, 3, seed=1), masks=masks(5, 12, 12))
    size = SMALL.height_width
    steps = augmentation_steps(JITTER_AND_FLIP, size)
    made = Batches(PreparedPairs(pairs, SMALL, load_size(steps, size)), steps, 3, 1, in_pairs=in_pairs)
    order = [draw(3, position, 5).index for position in range(5)]
    found = [to_batch(made.pairs.sides, *(image[None] for image in images)) for _, *images in made.first_epoch(order)]
    for mine, trained in zip(found, made.starting_at(0), strict=False):
        assert all(torch.equal(one, other) for one, other in zip(mine.sides, trained.sides, strict=True))
        assert mine.mask is not None and trained.mask is not None
        assert torch.equal(mine.mask, trained.mask)


def test_a_mask_of_larger_targets_has_their_size():
    counted = masks(3, 24, 24)
    pairs = MemoryPairs(
        [gray(mask[::2, ::2]) for mask in counted],
        [gray(mask) for mask in counted],
        (ImageSide(1), ImageSide(1)),
        masks=counted,
    )
    for batch in first(pairs, Input(size=8, scale=2)):
        assert batch.mask is not None
        assert batch.mask.shape == (2, 1, 16, 16)
        assert torch.equal(batch.mask, batch.target > 0)
        back = batch.reversed()
        assert back.mask is not None
        assert back.mask.shape == (2, 1, 8, 8)


@pytest.mark.parametrize("ignored", [255, 3, 60_000])
@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_an_ignored_value_of_either_side_does_not_count(ignored, direction):
    maps = labels(4, 12, 12, ignored=ignored)
    shown = [gray(array != ignored) for array in maps]
    pairs = MemoryPairs(shown, maps, (ImageSide(1), LabelSide(PALETTE, ignored)))
    batches = first(pairs, SMALL.model_copy(update={"direction": direction}))
    for batch in batches:
        photo, colors = batch.sides if direction == "a_to_b" else (batch.target, batch.condition)
        assert batch.mask is not None
        assert torch.equal(batch.mask, photo > 0)
        color = torch.tensor(IGNORED_COLOR).view(1, 3, 1, 1) / 127.5 - 1
        torch.testing.assert_close(torch.where(batch.mask, color, colors), color.expand_as(colors))


def test_one_hot_targets_are_zero_where_a_pixel_does_not_count():
    maps, counted = labels(4, 12, 12), masks(4, 12, 12)
    pairs = MemoryPairs(noise(4, 12, 12, 3), maps, (ImageSide(), LabelSide(PALETTE, 255)), masks=counted)
    prepared = PreparedPairs(pairs, Input(size=12), (12, 12), "classes")
    for index in range(4):
        batch = pair_as_batch(prepared, index, CPU)
        there = torch.from_numpy(counted[index] & (maps[index] != 255))
        assert batch.mask is not None
        assert torch.equal(batch.mask[0, 0], there)
        assert batch.target.shape == (1, 3, 12, 12)
        assert torch.equal(batch.target.sum(dim=1)[0], there.float())
        assert torch.equal(batch.target.argmax(dim=1)[0][there], torch.from_numpy(maps[index]).long()[there])


def test_a_mask_is_resized_by_nearest_neighbor():
    counted = [np.kron(mask, np.ones((3, 3), bool)) for mask in masks(1, 8, 8)]
    pairs = MemoryPairs(noise(1, 24, 24, 3), noise(1, 24, 24, 3), masks=counted)
    batch = pair_as_batch(PreparedPairs(pairs, Input(size=8), (8, 8)), 0, CPU)
    assert batch.mask is not None
    assert torch.equal(batch.mask[0, 0], torch.from_numpy(counted[0][::3, ::3]))


def test_all_pixels_count_where_nothing_says_otherwise():
    (batch,) = first(MemoryPairs(noise(1, 12, 12, 3), noise(1, 12, 12, 3)), count=1)
    assert batch.mask is None
    assert batch.compared(batch.condition) is batch.condition


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.ones((12, 8), bool), r"expected the shape \(12, 12\).*got \(12, 8\)"),
        (np.ones((12, 12, 1), bool), r"got \(12, 12, 1\)"),
        (np.ones((12, 12), np.uint8), "expected a NumPy array of booleans, got uint8"),
        ([[True]], "expected a NumPy array of booleans, got list"),
        (None, "it has no mask, and MemoryPairs says has_masks = True"),
    ],
)
def test_another_mask_is_refused_with_the_pairs_name(mask, reason):
    pairs = MemoryPairs(noise(1, 12, 12, 3), noise(1, 12, 12, 3), masks=[mask])
    with pytest.raises(DataError, match=reason) as caught:
        PreparedPairs(pairs, Input(size=8), (8, 8))[0]
    assert caught.value.where == "pair 0"


def test_a_mask_that_is_not_declared_is_refused():
    class Undeclared(MemoryPairs):
        def __getitem__(self, index: int) -> Pair:
            return super().__getitem__(index)._replace(mask=np.ones((12, 12), bool))

    pairs = Undeclared(noise(1, 12, 12, 3), noise(1, 12, 12, 3))
    with pytest.raises(DataError, match="it has a mask, and Undeclared says has_masks = False"):
        PreparedPairs(pairs, Input(size=8), (8, 8))[0]


def test_a_value_of_no_class_is_still_refused_beside_an_ignored_one():
    pairs = MemoryPairs(
        noise(1, 2, 2, 3), [np.array([[0, 255], [7, 1]], np.uint8)], (ImageSide(), LabelSide(PALETTE, 255))
    )
    with pytest.raises(DataError, match="class 7 has no color: the palette has 3"):
        PreparedPairs(pairs, Input(size=2), (2, 2))[0]


def test_the_fingerprint_follows_the_masks():
    sides = noise(2, 12, 12, 3), noise(2, 12, 12, 3)
    plain, one, same, other = (
        MemoryPairs(*sides, masks=given).fingerprint()
        for given in ((), masks(2, 12, 12), masks(2, 12, 12), masks(2, 12, 12, seed=6))
    )
    assert one == same
    assert len({plain, one, other}) == 3
