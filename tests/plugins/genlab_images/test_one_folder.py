"""Two files of one folder per pair, told apart by the endings of their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from genlab import DataError
from genlab_images.one_folder import OneFolder

RED, BLUE = (255, 0, 0), (0, 0, 255)

Save = Callable[..., Path]


@pytest.mark.parametrize(
    ("a", "b", "first", "second"),
    [
        ("_photo", "_label", "1_photo.jpg", "1_label.png"),
        ("_photo.png", "_label.png", "1_photo.png", "1_label.png"),
        ("", "_mask", "1.png", "1_mask.png"),
        (".jpg", ".png", "1.JPG", "1.png"),
        ("/photo", "/label", "1/photo.png", "1/label.png"),
        ("photo", "label", "1photo.png", "1Label.png"),
        (normalize("NFC", "_ä"), "_b", normalize("NFD", "1_ä.png"), "1_b.png"),
        (normalize("NFD", "_ä"), "_b", normalize("NFC", "1_ä.png"), "1_b.png"),
    ],
)
def test_endings_tell_the_sides(save: Save, tmp_path: Path, a: str, b: str, first: str, second: str) -> None:
    save(f"train/{first}", RED)
    save(f"train/{second}", BLUE)
    pairs = OneFolder(root=tmp_path, a=a, b=b).open("train")
    (pair,) = pairs
    assert (pair.key, pairs.left_out) == ("1", {})
    assert pair.a[0, 0].argmax() == 0
    assert pair.b[0, 0].argmax() == 2


def test_a_folder_without_splits_is_told_the_settings_for_it(save: Save, tmp_path: Path) -> None:
    save("1_A.png")
    save("1_B.png")
    with pytest.raises(DataError, match='no folder "train"') as caught:
        OneFolder(root=tmp_path).open("train")
    assert 'set train = "." and validation = 0.1' in str(caught.value.hint)


def test_images_of_neither_side_are_left_out(save: Save, tmp_path: Path) -> None:
    for name in ("1_A.png", "1_B.png", "1_depth.png", "in/2_A.png", "in/2_B.png", "_A.png"):
        save(f"train/{name}")
    (tmp_path / "train/1.xml").touch()
    pairs = OneFolder(root=tmp_path).open("train")
    assert [pair.key for pair in pairs] == ["1", "in/2"]
    assert pairs.left_out == {".xml": ["train/1.xml"], "of neither side": ["train/1_depth.png", "train/_A.png"]}


def test_a_share_of_one_folder_validates(save: Save, tmp_path: Path) -> None:
    for number in range(20):
        save(f"{number}.jpg")
        save(f"{number}_mask.png")
    data = OneFolder(root=tmp_path, a="", b="_mask", train=".", validation=0.3)
    keys = [{pair.key for pair in data.open(split)} for split in ("train", "validation")]
    assert keys[0] | keys[1] == {str(number) for number in range(20)}
    assert not keys[0] & keys[1]
    assert all(keys)


def test_images_without_a_partner_are_named(save: Save, tmp_path: Path) -> None:
    for name in ("1_A.png", "1_B.png", "2_A.png"):
        save(f"train/{name}")
    with pytest.raises(DataError, match=r"1 of 2 images in a have no partner .*2_A.png") as caught:
        OneFolder(root=tmp_path).open("train")
    assert caught.value.where == str(tmp_path / "train")
    assert "same name before their ending" in str(caught.value.hint)


def test_an_ending_that_no_image_has_is_named_with_its_setting(save: Save, tmp_path: Path) -> None:
    save("train/1_A.png")
    save("train/1_mask.png")
    with pytest.raises(DataError, match='ends in "_B"; there are') as caught:
        OneFolder(root=tmp_path).open("train")
    assert '"b"' in str(caught.value.hint)


def test_endings_that_are_the_same_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an ending of its own"):
        OneFolder(root=tmp_path, a="_x", b="_X")


def test_two_images_of_one_side_and_name_are_refused(save: Save, tmp_path: Path) -> None:
    for name in ("1_A.png", "1_A.jpg", "1_B.png"):
        save(f"train/{name}")
    with pytest.raises(DataError, match='two images of this side have the name "1"'):
        OneFolder(root=tmp_path).open("train")
