"""Each augmentation, compared with what it is by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab import AugmentedSide
from genlab_augment.affine import Affine
from genlab_augment.color import ColorJitter
from genlab_augment.d4 import D4
from genlab_augment.flip import Flip
from genlab_augment.jitter import Jitter


def numbers(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def images(count: int, channels: int, height: int, width: int, dtype: torch.dtype = torch.uint8) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), generator=rng).to(dtype)


def side(height: int, width: int, *, is_labels: bool = False, scale: int = 1) -> AugmentedSide:
    return AugmentedSide("condition" if scale == 1 else "target", is_labels, (height, width), scale)


# Jitter


def test_the_papers_jitter_is_286_for_256() -> None:
    assert Jitter().input_size((256, 256)) == (286, 286)
    assert Jitter().input_size((256, 512)) == (286, 572)
    assert Jitter(amount=0.3).input_size((6, 10)) == (8, 13)
    assert Jitter(amount=0.0).input_size((6, 10)) == (6, 10)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
@pytest.mark.parametrize("scale", [1, 3])
def test_each_image_is_cut_where_its_numbers_say(dtype: torch.dtype, scale: int) -> None:
    stack, draws = images(7, 2, 9 * scale, 13 * scale, dtype), torch.rand(7, 2, dtype=torch.float64)
    found = Jitter(amount=0.3).apply(stack, side(6 * scale, 10 * scale, scale=scale), draws)
    for image, cut, (down, across) in zip(stack, found, draws.tolist(), strict=True):
        top, left = int(down * 4) * scale, int(across * 4) * scale
        assert torch.equal(cut, image[:, top : top + 6 * scale, left : left + 10 * scale])


def test_the_crop_reaches_all_borders() -> None:
    stack, jitter = images(1, 1, 12, 12), Jitter(amount=0.5)
    for draws, cut in (
        ([0.0, 0.0], stack[..., :8, :8]),
        ([0.999, 0.0], stack[..., 4:, :8]),
        ([0.0, 0.999], stack[..., :8, 4:]),
        ([0.999, 0.999], stack[..., 4:, 4:]),
    ):
        assert torch.equal(jitter.apply(stack, side(8, 8), numbers(draws)), cut)


# Mirrors and turns


def test_half_of_all_images_are_mirrored() -> None:
    stack = images(2, 3, 4, 6)
    found = Flip().apply(stack, side(4, 6), numbers([0.499], [0.5]))
    assert torch.equal(found, torch.stack([stack[0].flip(2), stack[1]]))


def test_the_symmetries_are_eight_and_equally_likely() -> None:
    square = torch.arange(9).view(1, 1, 3, 3).expand(80, -1, -1, -1)
    found = D4().apply(square, side(3, 3), ((torch.arange(80) + 0.5) / 80)[:, None].double())
    turned = [np.rot90(np.arange(9).reshape(3, 3), turns) for turns in range(4)]
    known = sorted(form.tobytes() for quarter in turned for form in (quarter, quarter[:, ::-1]))
    values, counts = np.unique(found.numpy().reshape(80, 9), axis=0, return_counts=True)
    assert sorted(form.tobytes() for form in values) == known
    assert counts.tolist() == [10] * 8


# Affine

HALF = 0.5
MOST = 1 - 2**-53


def test_without_amounts_nothing_moves() -> None:
    stack = images(3, 2, 7, 9)
    assert torch.equal(Affine().apply(stack, side(7, 9), numbers(*[[HALF] * 4] * 3)), stack)
    still = Affine(rotation=0.0, scale=0.0, shift=0.0)
    assert torch.equal(still.apply(stack, side(7, 9), torch.rand(3, 4)), stack)


def test_a_quarter_turn_is_a_turn_of_the_pixels() -> None:
    stack = images(1, 2, 8, 8)
    turned = Affine(rotation=90.0).apply(stack, side(8, 8), numbers([MOST, HALF, HALF, HALF]))
    assert torch.equal(turned, stack.rot90(-1, (2, 3)))


def test_a_turn_keeps_shapes_where_height_and_width_differ() -> None:
    """A quarter turn of a wide image shows the square in its middle turned, and not stretched."""
    stack = images(1, 1, 4, 12)
    turned = Affine(rotation=90.0).apply(stack, side(4, 12), numbers([MOST, HALF, HALF, HALF]))
    assert torch.equal(turned[..., 4:8], stack[..., 4:8].rot90(-1, (2, 3)))


def test_a_shift_brings_in_the_mirrored_border() -> None:
    stack = images(1, 1, 8, 4)
    moved = Affine(shift=0.25).apply(stack, side(8, 4), numbers([HALF, HALF, MOST, HALF]))
    assert torch.equal(moved, torch.cat([stack[:, :, [1, 0]], stack[:, :, :6]], dim=2))


def test_twice_as_large_shows_the_middle() -> None:
    stack = images(1, 1, 8, 8, torch.int32)
    grown = Affine(scale=0.999).apply(stack, side(8, 8, is_labels=True), numbers([HALF, MOST, HALF, HALF]))
    assert torch.equal(grown, stack[..., 2:6, 2:6].repeat_interleave(2, 2).repeat_interleave(2, 3))


# Color


def test_brightness_and_contrast_by_hand() -> None:
    gray = torch.tensor([100.0, 127.5, 200.0]).view(1, 3, 1, 1)
    jitter = ColorJitter(brightness=0.2, contrast=0.5)
    brighter = jitter.apply(gray, side(1, 1), numbers([0.75, HALF]))
    torch.testing.assert_close(brighter.flatten(), gray.flatten() + 0.1 * 255)
    steeper = jitter.apply(gray, side(1, 1), numbers([HALF, 0.75]))
    torch.testing.assert_close(steeper.flatten(), torch.tensor([127.5 - 27.5 * 1.25, 127.5, 127.5 + 72.5 * 1.25]))


def test_values_stay_in_their_range_or_in_that_of_their_image() -> None:
    jitter, bright = ColorJitter(brightness=1.0, contrast=0.0), numbers([MOST, HALF])
    assert jitter.apply(images(1, 3, 4, 4), side(4, 4), bright).unique().tolist() == [255]
    beyond = torch.tensor([-3.0, 128.0, 300.0]).view(1, 1, 1, 3)
    assert jitter.apply(beyond, side(1, 3), bright).flatten().tolist() == [252, 300, 300]


def test_the_other_side_and_masks_stay() -> None:
    stack = images(2, 3, 4, 4)
    assert ColorJitter(side="target").apply(stack, side(4, 4), torch.rand(2, 2)) is stack
    mask = AugmentedSide("mask", True, (4, 4))
    assert ColorJitter(side="target").apply(stack[:, :1], mask, torch.rand(2, 2)).equal(stack[:, :1])


def test_a_label_map_has_no_colors() -> None:
    with pytest.raises(ValueError, match="the condition is a label map"):
        ColorJitter().apply(images(1, 1, 4, 4), side(4, 4, is_labels=True), torch.rand(1, 2))
