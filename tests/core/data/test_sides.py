import numpy as np
import pytest
import torch
from tests.core.toys import noise

from genlab import DataError, ImageSide, LabelSide
from genlab.data.sides import OneHotLabels, channels_of, resize, to_bytes, to_classes, to_network, to_tensor
from genlab.data.view import SideView

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
COLORS = LabelSide((RED, GREEN, BLUE))
GRAY = ImageSide(1)


def seen(array: np.ndarray, side: ImageSide | LabelSide) -> torch.Tensor:
    """What networks see of one stored array."""
    return to_network(to_tensor(array, side, "key")[None], side)[0]


def column(*values: float, dtype: type = np.uint8) -> np.ndarray:
    return np.array(values, dtype).reshape(-1, 1, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_run_from_minus_one_to_one_exactly(dtype):
    assert seen(column(0, np.iinfo(dtype).max, dtype=dtype), GRAY).flatten().tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (-1024.0, 3071.0), (273.15, 313.15)])
def test_floats_run_from_minus_one_to_one_over_their_declared_range(ends, dtype):
    side = ImageSide(1, range=tuple(float(dtype(end)) for end in ends))
    middle = dtype((side.range[0] + side.range[1]) / 2)
    low, center, high = seen(column(ends[0], middle, ends[1], dtype=dtype), side).flatten().tolist()
    assert (low, high) == (-1.0, 1.0)
    assert center == pytest.approx(0, abs=2e-3 if dtype is np.float16 else 1e-5)


def test_sixteen_bits_are_not_cut_to_eight():
    values = seen(column(*range(1000, 1257), dtype=np.uint16), GRAY).flatten()
    assert len(values.unique()) == 257
    torch.testing.assert_close(values, torch.arange(1000, 1257) / 32767.5 - 1, rtol=0, atol=1e-6)


def test_arrays_become_channels_first():
    array = noise(1, 4, 6, 5)[0]
    tensor = to_tensor(array, ImageSide(5), "key")
    assert tensor.dtype == torch.uint8
    np.testing.assert_array_equal(tensor.numpy(), array.transpose(2, 0, 1))


def test_arrays_may_be_views_and_read_only():
    array = noise(1, 4, 12, 3)[0]
    view = array[::-1, ::2]
    view.flags.writeable = False
    labels = (array[..., 0] % 3)[:, ::-1]
    labels.flags.writeable = False
    np.testing.assert_array_equal(to_tensor(view, ImageSide(), "key").numpy(), view.transpose(2, 0, 1))
    np.testing.assert_array_equal(to_tensor(labels, COLORS, "key")[0].numpy(), labels)
    frozen = np.ascontiguousarray(labels)
    frozen.flags.writeable = False
    np.testing.assert_array_equal(to_tensor(frozen, COLORS, "key")[0].numpy(), labels)
    np.testing.assert_array_equal(to_tensor(frozen[..., None], GRAY, "key")[0].numpy(), labels)


def test_a_dataset_may_use_its_arrays_again():
    gray, labels = np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4), np.uint8)
    tensors = to_tensor(gray, GRAY, "key"), to_tensor(labels, COLORS, "key")
    gray += 9
    labels += 1
    assert not any(tensor.any() for tensor in tensors)


def test_labels_are_seen_in_their_colors():
    shown = seen(np.array([[0, 1], [2, 1]], np.uint8), COLORS)
    expected = torch.tensor([[RED, GREEN], [BLUE, GREEN]]).permute(2, 0, 1) / 127.5 - 1
    assert torch.equal(shown, expected)


def test_more_than_256_classes():
    side = LabelSide(tuple((index // 256, index % 256, 7) for index in range(1000)))
    labels = np.array([[0, 255], [256, 999]], np.uint16)
    tensor = to_tensor(labels, side, "key")
    assert tensor[0].tolist() == labels.tolist()
    back = to_bytes(seen(labels, side))
    assert (back[..., 0].astype(int) * 256 + back[..., 1]).tolist() == labels.tolist()


def test_labels_of_sixteen_bits_with_few_classes():
    labels = np.array([[0, 2]], np.uint16)
    assert torch.equal(seen(labels, COLORS), seen(labels.astype(np.uint8), COLORS))


@pytest.mark.parametrize(
    ("array", "side", "message"),
    [
        (np.zeros((4, 4, 4), np.uint8), ImageSide(), r"3 channels as declared, got an array of shape \(4, 4, 4\)"),
        (np.zeros((4, 4), np.uint8), GRAY, r"1 channels as declared, got an array of shape \(4, 4\)"),
        (np.zeros((4, 4, 1), np.float32), GRAY, "values of float32 need a range"),
        (np.zeros((4, 4, 1), np.int64), GRAY, "got int64"),
        (np.zeros((4, 4, 1), bool), GRAY, "got bool"),
        (np.full((4, 4, 1), np.nan, np.float32), ImageSide(1, (0.0, 1.0)), "not finite"),
        (np.full((4, 4, 1), -3.4e38, np.float32), ImageSide(1, (0.0, 1e-3)), "far beyond the range"),
        (np.zeros((4, 4, 1), np.uint8), COLORS, r"expected a label map .* got uint8 \(4, 4, 1\)"),
        (np.zeros((4, 4), np.int64), COLORS, "got int64"),
        (np.full((4, 4), 3, np.uint8), COLORS, "class 3 has no color: the palette has 3"),
        (np.full((4, 4), 300, np.uint16), COLORS, "class 300 has no color"),
    ],
)
def test_says_which_pair_is_not_what_its_side_declares(array, side, message):
    with pytest.raises(DataError, match=message) as caught:
        to_tensor(array, side, "facade 17")
    assert caught.value.where == "facade 17"


def test_networks_see_as_many_channels_as_declared_and_three_of_labels():
    assert channels_of(ImageSide(5)) == 5
    assert channels_of(COLORS) == 3


@pytest.mark.parametrize("size", [(3, 5), (10, 14), (7, 7), (1, 1), (20, 3)])
def test_labels_are_resized_to_the_nearest_pixel(size):
    labels = noise(1, 7, 9, dtype=np.uint16)[0] % 3
    resized = resize(to_tensor(labels, COLORS, "key"), COLORS, size)
    rows, columns = (((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, (7, 9), strict=True))
    assert resized.shape == (1, *size)
    np.testing.assert_array_equal(resized[0].numpy(), labels[rows][:, columns])


def test_large_class_numbers_survive_resizing():
    side = LabelSide(((0, 0, 0),) * 65536)
    labels = to_tensor(np.full((4, 4), 65535, np.uint16), side, "key")
    assert resize(labels, side, (6, 6)).unique().tolist() == [65535]


def test_shrinking_an_image_leaves_out_no_pixel():
    lines = torch.zeros(1, 64, 64, dtype=torch.uint8)
    lines[:, :, ::4] = 200
    small = resize(lines, GRAY, (16, 16))
    assert small.dtype == torch.uint8
    assert small[..., 1:-1].float().sub(50).abs().max() <= 2


def test_enlarging_an_image_is_smooth():
    edge = torch.tensor([0.0, 90.0]).expand(1, 4, 2)
    large = resize(edge, GRAY, (4, 6))
    assert large[0, 0].tolist() == pytest.approx([0, 0, 30, 60, 90, 90], abs=1e-4)


def test_an_image_of_that_size_stays_as_it_is():
    image = to_tensor(noise(1, 8, 6, 3)[0], ImageSide(), "key")
    assert torch.equal(resize(image, ImageSide(), (8, 6)), image)


def test_all_256_values_come_back():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(to_bytes(seen(values, GRAY)), values)
    np.testing.assert_array_equal(to_bytes(seen(values.astype(np.uint16) * 257, GRAY)), values)


def test_what_goes_beyond_black_and_white_is_cut_off():
    image = torch.tensor([-3.0, -1.001, 1.001, 3.0]).view(1, 1, 4)
    assert to_bytes(image).flatten().tolist() == [0, 0, 255, 255]


CLASSES = OneHotLabels(COLORS.palette)


def test_classes_have_a_channel_each_which_is_1_where_a_pixel_is_of_the_class():
    labels = np.array([[0, 2], [1, 1]], np.uint8)
    assert channels_of(CLASSES) == 3
    assert seen(labels, CLASSES).tolist() == [[[1, 0], [0, 0]], [[0, 0], [1, 1]], [[0, 1], [0, 0]]]
    assert seen(labels, CLASSES).is_contiguous()


def test_classes_are_shown_in_their_colors_and_stored_as_a_dataset_gives_them():
    labels = np.array([[0, 2], [1, 1]], np.uint8)
    scores = 7 * seen(labels, CLASSES) - 3
    np.testing.assert_array_equal(SideView(CLASSES).picture(scores), [[RED, BLUE], [GREEN, GREEN]])
    np.testing.assert_array_equal(to_classes(scores), labels)
    assert to_classes(scores).dtype == np.uint8


def test_more_than_256_classes_with_a_channel_each():
    side = OneHotLabels(tuple((i % 256, i // 256, 0) for i in range(300)))
    labels = np.array([[0, 255, 256, 299]], np.uint16)
    stored = to_classes(seen(labels, side))
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, labels)
    np.testing.assert_array_equal(SideView(side).picture(seen(labels, side))[0, 3], [299 % 256, 1, 0])
