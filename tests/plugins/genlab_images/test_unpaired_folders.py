"""Two folders of images that are no pairs, and what is said where pairs are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab import DataError, ImageSide, LabelSide
from genlab_images.labels_from_values import LabelsFromValues
from genlab_images.two_folders import TwoFolders
from genlab_images.unpaired_folders import UnpairedFolders

RED, BLUE = (255, 0, 0), (0, 0, 255)

Save = Callable[..., Path]


@pytest.fixture
def zoo(save: Save, tmp_path: Path) -> Path:
    """Three horses and two zebras to train, of several sizes; one each to validate."""
    for number, size in enumerate([(8, 6), (9, 5), (16, 16)], start=1):
        save(f"trainA/horse{number}.png", RED, size=size)
    for number in (10, 2):
        save(f"trainB/{number}.jpg", BLUE, size=(4 * number, 8))
    save("testA/horse.png", RED)
    save("testB/zebra.png", BLUE)
    return tmp_path


def test_sides_have_images_of_their_own(zoo: Path) -> None:
    pairs = UnpairedFolders(root=zoo).open("train")
    assert not pairs.is_paired
    assert (pairs.count_of("a"), pairs.count_of("b")) == (3, 2)
    assert [pairs.read_side(index, "b").key for index in range(2)] == ["2", "10"]
    assert (pairs.read_side(1, "a").image == RED).all()
    assert pairs.sizes("a") == [(6, 8), (5, 9), (16, 16)] and pairs.sizes("b") == [(8, 8), (8, 40)]
    assert pairs.description == f"3 images in {zoo / 'trainA'} and 2 images in {zoo / 'trainB'}"
    assert pairs.a == pairs.b == ImageSide(3, dtype="uint8")


@pytest.mark.parametrize(
    ("layout", "folders"),
    [
        ("{side}/{split}", ("A/train", "B/train")),
        ("{split}/{side}", ("train/A", "train/B")),
        ("{split}_{side}", ("train_A", "train_B")),
    ],
)
def test_another_layout_is_advised_where_it_is_found(
    save: Save, tmp_path: Path, layout: str, folders: tuple[str, str]
) -> None:
    for folder in folders:
        save(f"{folder}/1.png", RED)
    with pytest.raises(DataError) as caught:
        UnpairedFolders(root=tmp_path).open("train")
    assert f'layout = "{layout}"' in (caught.value.hint or "")
    assert UnpairedFolders(root=tmp_path, layout=layout).open("train").count_of("a") == 1


def test_a_share_of_each_side_validates(save: Save, tmp_path: Path) -> None:
    for number in range(40):
        save(f"horses/{number}.png", RED)
    for number in range(20):
        save(f"zebras/z{number}.png", BLUE)
    dataset = UnpairedFolders(root=tmp_path, a="horses", b="zebras", layout="{side}", validation=0.3)
    train, validation = dataset.open("train"), dataset.open("validation")
    for side, count in (("a", 40), ("b", 20)):
        keys = [
            {pairs.read_side(index, side).key for index in range(pairs.count_of(side))} for pairs in (train, validation)
        ]
        assert len(keys[0]) + len(keys[1]) == count and not keys[0] & keys[1] and all(keys)
    assert f"of 40 images (validation = 0.3) in {tmp_path / 'horses'} and " in train.description


@pytest.mark.parametrize("validation", ["test", 0.4])
def test_validation_images_may_be_pairs(save: Save, tmp_path: Path, validation: str | float) -> None:
    for number in range(12):
        save(f"trainA/{number}.png", RED)
        save(f"trainB/{number}.jpg", BLUE)
    for name in ("x", "y"):
        save(f"testA/{name}.png", RED)
        save(f"testB/{name}.jpg", BLUE)
    dataset = UnpairedFolders(root=tmp_path, validation=validation, paired_validation=True)
    pairs = dataset.open("validation")
    assert pairs.is_paired and not dataset.open("train").is_paired
    if validation == "test":
        assert [pair.key for pair in pairs] == ["x", "y"]
    assert all((pair.a == RED).all() and pair.b[0, 0, 2] > 200 for pair in pairs)


def test_validation_images_without_a_partner_are_refused_where_they_are_to_be_pairs(zoo: Path) -> None:
    with pytest.raises(DataError, match="1 of 1 images in a have no partner") as caught:
        UnpairedFolders(root=zoo, paired_validation=True).open("validation")
    assert "paired_validation" in (caught.value.hint or "")


def test_two_images_of_one_name_are_refused(zoo: Path, save: Save) -> None:
    save("trainA/horse1.jpg", RED)
    with pytest.raises(DataError, match='the name "horse1"'):
        UnpairedFolders(root=zoo).open("train")


@pytest.mark.parametrize("change", ["content", "name", "side"])
def test_a_fingerprint_knows_every_image(zoo: Path, save: Save, change: str) -> None:
    before = UnpairedFolders(root=zoo).open("train").fingerprint()
    assert UnpairedFolders(root=zoo).open("train").fingerprint() == before
    if change == "content":
        save("trainB/10.jpg", RED)
    elif change == "name":
        (zoo / "trainB/10.jpg").rename(zoo / "trainB/11.jpg")
    else:
        (zoo / "trainB/10.jpg").rename(zoo / "trainA/10.jpg")
    assert UnpairedFolders(root=zoo).open("train").fingerprint() != before


def test_labels_may_be_a_side_without_pairs(save: Save, tmp_path: Path) -> None:
    """The other side is read without the labels."""
    for number in range(3):
        save(f"trainA/{number}.png", RED)
    for number in range(2):
        save(f"trainB/{number}.png", 255 * number, mode="L")
    pairs = LabelsFromValues(source=UnpairedFolders(root=tmp_path), values=[0, 255]).open("train")
    assert not pairs.is_paired and (pairs.count_of("a"), pairs.count_of("b")) == (3, 2)
    assert isinstance(pairs.b, LabelSide)
    assert np.unique(pairs.read_side(1, "b").image).tolist() == [1]
    assert pairs.read_side(2, "a").image.shape == (6, 8, 3)
    assert pairs.sizes("b") == [(6, 8)] * 2
    assert pairs.fingerprint()


def test_one_side_of_a_pair_is_read_without_the_other(save: Save, tmp_path: Path) -> None:
    """So that pairs that are drawn as sides cost no more."""
    save("A/train/1.png", RED)
    other = save("B/train/1.png", BLUE)
    pairs = TwoFolders(root=tmp_path).open("train")
    other.unlink()
    assert (pairs.read_side(0, "a").image == RED).all()
    with pytest.raises(DataError):
        pairs.read_side(0, "b")


def test_sides_of_pairs_may_differ_by_a_factor(save: Save, tmp_path: Path) -> None:
    save("A/train/1.png", RED, size=(8, 6))
    save("B/train/1.png", BLUE, size=(32, 24))
    pairs = TwoFolders(root=tmp_path).open("train")
    assert (pairs.sizes("a"), pairs.sizes("b")) == ([(6, 8)], [(24, 32)])
    assert pairs[0].b.shape == (24, 32, 3)


@pytest.mark.parametrize("size", [(8, 12), (12, 9), (16, 13)])
def test_other_sizes_of_partners_are_refused(save: Save, tmp_path: Path, size: tuple[int, int]) -> None:
    save("A/train/1.png", RED, size=(8, 6))
    save("B/train/1.png", BLUE, size=size)
    with pytest.raises(DataError, match="its partner") as caught:
        TwoFolders(root=tmp_path).open("train")
    assert "exact multiple (input.scale)" in (caught.value.hint or "")


def test_what_validates_is_no_test_split(zoo: Path, save: Save) -> None:
    assert list(UnpairedFolders(root=zoo).available_splits()) == ["train", "validation"]
    with pytest.raises(DataError, match='"test" is not apart from "test", that of validation pairs'):
        UnpairedFolders(root=zoo).open("test")
    save("finalA/1.png", RED)
    assert "test" not in UnpairedFolders(root=zoo, test="final").available_splits()
    save("finalB/1.png", BLUE)
    data = UnpairedFolders(root=zoo, test="final", paired_validation=True)
    assert "test" in data.available_splits() and data.open("test").is_paired
