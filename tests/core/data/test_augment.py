import numpy as np
import pytest
import torch

from genlab.config.schema import Input
from genlab.data.augment import crop_and_flip, load_size
from genlab.data.order import Draw, draw


def at(top: float, left: float, flip: bool = False) -> Draw:
    return Draw(0, 0, top, left, flip)


def images(count: int, channels: int, height: int, width: int, dtype: torch.dtype = torch.uint8) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), generator=rng).to(dtype)


def naive(stack: torch.Tensor, draws: list[Draw], settings: Input) -> np.ndarray:
    """One image after the other, with slices."""
    (height, width), results = settings.height_width, []
    for image, item in zip(stack.numpy(), draws, strict=True):
        top = int(item.top * (image.shape[1] - height + 1))
        left = int(item.left * (image.shape[2] - width + 1))
        cropped = image[:, top : top + height, left : left + width]
        results.append(cropped[:, :, ::-1] if item.flip and settings.flip else cropped)
    return np.stack(results)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        (Input(size=8, jitter=0.5, flip=True), (12, 12)),
        (Input(size=8, jitter=0.5), (12, 12)),
        (Input(size=(6, 10), jitter=0.3, flip=True), (8, 13)),
        (Input(size=(10, 4), flip=True), (10, 4)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
def test_crops_and_flips_each_image_as_its_draw_says(settings, size, dtype):
    assert load_size(settings) == size
    stack, draws = images(7, 3, *size, dtype), [draw(0, position, 7) for position in range(7)]
    before = stack.clone()
    result = crop_and_flip(stack, draws, settings)
    assert result.dtype == dtype
    assert result.is_contiguous()
    np.testing.assert_array_equal(result.numpy(), naive(stack, draws, settings))
    assert torch.equal(stack, before)


def test_both_sides_are_cut_and_mirrored_alike():
    settings = Input(size=8, jitter=0.5, flip=True)
    places = torch.arange(144).view(1, 1, 12, 12).expand(20, 1, 12, 12)
    draws = [draw(0, position, 20) for position in range(20)]
    labels = crop_and_flip(places.int(), draws, settings)
    photo = crop_and_flip(places.expand(20, 3, 12, 12).float(), draws, settings)
    assert torch.equal(labels.expand(20, 3, 8, 8).float(), photo)


def test_the_crop_reaches_all_borders():
    settings, stack = Input(size=8, jitter=0.5), images(1, 1, 12, 12)
    assert torch.equal(crop_and_flip(stack, [at(0.0, 0.0)], settings), stack[..., :8, :8])
    assert torch.equal(crop_and_flip(stack, [at(0.999, 0.0)], settings), stack[..., 4:, :8])
    assert torch.equal(crop_and_flip(stack, [at(0.0, 0.999)], settings), stack[..., :8, 4:])
    assert torch.equal(crop_and_flip(stack, [at(1.0, 1.0)], settings), stack[..., 4:, 4:])


def test_every_offset_is_equally_likely():
    settings = Input(size=8, jitter=0.5)
    rows = torch.arange(12).view(1, 1, 12, 1).expand(1000, 1, 12, 12)
    draws = [draw(0, position, 1000) for position in range(1000)]
    tops = crop_and_flip(rows, draws, settings)[:, 0, 0, 0]
    assert tops.bincount().tolist() == pytest.approx([200] * 5, abs=40)


def test_flip_mirrors_left_to_right():
    stack = images(1, 3, 8, 8)
    assert torch.equal(crop_and_flip(stack, [at(0.0, 0.0, flip=True)], Input(size=8, flip=True)), stack.flip(3))


def test_without_flip_nothing_is_mirrored():
    stack = images(1, 3, 8, 8)
    assert torch.equal(crop_and_flip(stack, [at(0.0, 0.0, flip=True)], Input(size=8)), stack)


def test_without_jitter_and_flip_images_stay_as_they_are():
    settings, stack = Input(size=(8, 12)), images(5, 3, 8, 12)
    assert load_size(settings) == (8, 12)
    assert torch.equal(crop_and_flip(stack, [draw(0, position, 5) for position in range(5)], settings), stack)


def test_the_papers_jitter_is_286_for_256():
    assert load_size(Input(size=256, jitter=0.117)) == (286, 286)
    assert load_size(Input(size=(256, 512), jitter=0.117)) == (286, 572)
