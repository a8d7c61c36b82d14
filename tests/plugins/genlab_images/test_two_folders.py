"""Two files of one name per pair, and what is said when they do not match."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from genlab import DataError, DataUnavailableError, ImageSide
from genlab_images.two_folders import TwoFolders

RED, BLUE = (255, 0, 0), (0, 0, 255)

Save = Callable[..., Path]


def test_files_of_one_name_make_a_pair_whatever_their_extension(save: Save, tmp_path: Path) -> None:
    for name in ("10", "2", "tower/1"):
        save(f"A/train/{name}.png", RED)
        save(f"B/train/{name}.bmp", BLUE)
    pairs = TwoFolders(root=tmp_path).open("train")
    assert [pair.key for pair in pairs] == ["2", "10", "tower/1"]
    assert all((pair.a == RED).all() and (pair.b == BLUE).all() for pair in pairs)
    assert pairs.description == f"3 pairs in {tmp_path / 'A/train'} and {tmp_path / 'B/train'}"


def test_folders_are_settings(save: Save, tmp_path: Path) -> None:
    save("photo/learn/1.png", RED)
    save("labels/learn/1.png", BLUE)
    save("photo/test/2.png")
    save("labels/test/2.png")
    data = TwoFolders(root=tmp_path, a="labels", b="photo", train="learn", validation="test")
    assert (data.open("train")[0].a == BLUE).all()
    assert [pair.key for pair in data.open("validation")] == ["2"]


def test_each_side_has_its_own_form(save: Save, tmp_path: Path) -> None:
    save("A/train/1.png", RED)
    save("B/train/1.png", 40_000, mode="I;16")
    pairs = TwoFolders(root=tmp_path).open("train")
    assert (pairs.a, pairs.b) == (ImageSide(channels=3, dtype="uint8"), ImageSide(channels=1, dtype="uint16"))
    assert pairs[0].a.shape == (6, 8, 3)
    assert pairs[0].b.dtype == np.uint16
    assert (pairs[0].b == 40_000).all()


def test_images_without_a_partner_are_counted_and_named(save: Save, tmp_path: Path) -> None:
    for name in range(1, 9):
        save(f"A/train/{name}.png")
    for name in (1, 100):
        save(f"B/train/{name}.png")
    a, b = tmp_path / "A/train", tmp_path / "B/train"
    with pytest.raises(DataError) as caught:
        TwoFolders(root=tmp_path).open("train")
    named = ", ".join(str(a / f"{name}.png") for name in range(2, 7))
    assert f"7 of 8 images in a have no partner ({named} and 2 more)" in caught.value.what
    assert f"1 of 2 images in b have no partner ({b / '100.png'})" in caught.value.what
    assert caught.value.where == f"{a} and {b}"
    assert "same name" in str(caught.value.hint)


def test_partners_need_one_size(save: Save, tmp_path: Path) -> None:
    save("A/train/1.png")
    save("B/train/1.png")
    wrong, partner = save("A/train/2.png", size=(8, 6)), save("B/train/2.png", size=(6, 8))
    message = re.escape(f"the image is 8 x 6, and its partner {partner} is 6 x 8")
    with pytest.raises(DataError, match=message) as caught:
        TwoFolders(root=tmp_path).open("train")
    assert caught.value.where == str(wrong)


def test_two_files_that_differ_in_their_extension_alone(save: Save, tmp_path: Path) -> None:
    for path in ("A/train/1.png", "B/train/1.png", "B/train/1.jpg"):
        save(path)
    with pytest.raises(DataError, match='two images of this side have the name "1"') as caught:
        TwoFolders(root=tmp_path).open("train")
    assert "1.png" in caught.value.what
    assert "1.jpg" in caught.value.what
    assert caught.value.where == str(tmp_path / "B/train")


@pytest.mark.parametrize(
    ("missing", "parent", "setting"),
    [("A", ".", "a"), ("B", ".", "b"), ("A/train", "A", "train"), ("B/train", "B", "train")],
)
def test_a_missing_folder_is_named_with_its_setting(
    save: Save, tmp_path: Path, missing: str, parent: str, setting: str
) -> None:
    for side in ("A", "B"):
        save(f"{side}/train/1.png")
    shutil.rmtree(tmp_path / missing)
    with pytest.raises(DataError, match=f'no folder "{Path(missing).name}"') as caught:
        TwoFolders(root=tmp_path).open("train")
    assert caught.value.where == str(tmp_path / parent)
    assert f'The setting "{setting}" names it' in str(caught.value.hint)


def test_a_broken_image_is_named(save: Save, tmp_path: Path) -> None:
    save("A/train/1.png")
    broken = tmp_path / "B/train/1.png"
    broken.parent.mkdir(parents=True)
    broken.touch()
    with pytest.raises(DataError, match="it is empty") as caught:
        TwoFolders(root=tmp_path).open("train")
    assert caught.value.where == str(broken)


def test_a_missing_root_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailableError, match="no such folder"):
        TwoFolders(root=tmp_path / "nowhere").probe()


def test_both_sides_in_one_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='a and b are both "A"'):
        TwoFolders(root=tmp_path, b="A")


def test_the_fingerprint_follows_contents_and_sides(save: Save, tmp_path: Path) -> None:
    save("here/A/train/1.png", RED)
    save("here/B/train/1.png", BLUE)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    here, there = TwoFolders(root=tmp_path / "here"), TwoFolders(root=tmp_path / "there")
    swapped = TwoFolders(root=tmp_path / "here", a="B", b="A")
    first = here.open("train").fingerprint()
    assert first == there.open("train").fingerprint()
    assert first != swapped.open("train").fingerprint()
    save("there/B/train/1.png", RED)
    assert first != there.open("train").fingerprint()


def test_partners_match_in_each_form_of_unicode(save: Save, tmp_path: Path) -> None:
    """As an archive from a Mac and a download of the same names give them."""
    save(f"Höhe/train/{normalize('NFD', 'Türme/1')}.png", RED)
    save(f"B/train/{normalize('NFC', 'Türme/1')}.png", BLUE)
    (pair,) = TwoFolders(root=tmp_path, a=normalize("NFD", "Höhe")).open("train")
    assert pair.key == normalize("NFC", "Türme/1")


def test_what_is_left_out_of_both_folders_is_named(save: Save, tmp_path: Path) -> None:
    for side in ("A", "B"):
        save(f"{side}/train/1.png")
        (tmp_path / side / "train/.DS_Store").touch()
    (tmp_path / "B/train/notes.txt").touch()
    left_out = TwoFolders(root=tmp_path).open("train").left_out
    assert left_out == {"hidden": ["A/train/.DS_Store", "B/train/.DS_Store"], ".txt": ["B/train/notes.txt"]}


LAYOUTS = {
    "{side}/{split}": "A/train",
    "{split}/{side}": "train/A",
    "{split}{side}": "trainA",
    "{split}_{side}": "train_A",
    "{side}_{split}": "A_train",
}


@pytest.mark.parametrize("layout", [*LAYOUTS, "data/{split}/{side}/images"])
def test_a_layout_says_where_the_folders_are(save: Save, tmp_path: Path, layout: str) -> None:
    for split, color in (("train", RED), ("val", BLUE)):
        for side in ("A", "B"):
            save(f"{layout.format(side=side, split=split)}/1.png", color)
    data = TwoFolders(root=tmp_path, layout=layout)
    assert [(data.open(split)[0].b == color).all() for split, color in (("train", RED), ("validation", BLUE))]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_layout_that_is_there_is_named(save: Save, tmp_path: Path, layout: str) -> None:
    for side in ("A", "B"):
        save(f"{layout.format(side=side, split='train')}/1.png")
    given = next(other for other in LAYOUTS if other != layout)
    with pytest.raises(DataError, match="no folder") as caught:
        TwoFolders(root=tmp_path, layout=given).open("train")
    folders = f"{LAYOUTS[layout]} and {LAYOUTS[layout].replace('A', 'B')}"
    assert f'The folders {folders} are there: set layout = "{layout}"' in str(caught.value.hint)


def test_folders_without_splits_are_named_and_can_be_shared(save: Save, tmp_path: Path) -> None:
    for number in range(30):
        save(f"A/{number}.jpg", RED)
        save(f"B/{number}.png", BLUE)
    with pytest.raises(DataError, match='no folder "train"') as caught:
        TwoFolders(root=tmp_path).open("train")
    assert 'The folders A and B are there: set layout = "{side}" and validation to a share' in str(caught.value.hint)
    data = TwoFolders(root=tmp_path, layout="{side}", validation=0.1)
    train, validation = data.open("train"), data.open("validation")
    assert len(train) + len(validation) == 30
    assert (
        validation.description
        == f"{len(validation)} of 30 pairs (validation = 0.1) in {tmp_path / 'A'} and {tmp_path / 'B'}"
    )


@pytest.mark.parametrize(
    "layout", ["train", "{split}", "{side}{side}", "{side}/{split}/{split}", "{side}/{sid}", "}{side}"]
)
def test_a_layout_without_its_words_is_refused(tmp_path: Path, layout: str) -> None:
    with pytest.raises(ValueError, match=r"with \{side\} once"):
        TwoFolders(root=tmp_path, layout=layout, validation=0.1)


def test_a_layout_of_one_folder_for_both_splits_needs_a_share(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="set validation to a share"):
        TwoFolders(root=tmp_path, layout="{side}")
