"""Validation pairs that are drawn from the training folder's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from genlab import DataError
from genlab_images.side_by_side import SideBySide
from genlab_images.splits import Splits


def select(keys: list[str], share: float = 0.1) -> tuple[list[str], list[str]]:
    splits, pairs = Splits("train", share, "test"), dict.fromkeys(keys)
    return list(splits.select("train", pairs, "here")), list(splits.select("validation", pairs, "here"))


def test_a_share_is_drawn_and_the_splits_share_no_pair() -> None:
    keys = [f"{number}.jpg" for number in range(2000)]
    train, validation = select(keys)
    assert sorted(train + validation) == sorted(keys)
    assert 160 < len(validation) < 240
    assert set(validation) < set(select(keys, share=0.2)[1])


def test_pairs_stay_where_they_are_when_others_come_or_go() -> None:
    few, many = [f"{number}" for number in range(100)], [f"{number}" for number in range(40, 300)]
    for one, other in zip(select(few), select(many), strict=True):
        assert [key for key in one if key in many] == [key for key in other if key in few]


def test_the_same_pairs_are_drawn_on_every_machine() -> None:
    assert select([f"{number}.jpg" for number in range(60)])[1] == ["26.jpg", "34.jpg", "36.jpg", "38.jpg"]
    names = [f"ö{number}" for number in range(50)]
    assert select(names)[1] == [
        normalize("NFC", name) for name in select([normalize("NFD", name) for name in names])[1]
    ]


@pytest.mark.parametrize(("share", "purpose"), [(0.01, "validate"), (0.99, "train with")])
def test_a_share_that_leaves_a_split_empty_is_refused_with_those_that_do_not(share: float, purpose: str) -> None:
    keys = ["1", "2", "3", "4"]
    with pytest.raises(DataError, match=f"share of {share} leaves none of 4 pairs to {purpose}") as caught:
        select(keys, share)
    words = str(caught.value.hint).split()
    for useful in (float(words[2]), float(words[4])):
        assert all(select(keys, useful))
    assert caught.value.where == "here"


def test_one_pair_cannot_be_shared() -> None:
    with pytest.raises(DataError) as caught:
        select(["1"])
    assert caught.value.hint == 'Let "validation" name a place of its own.'


def test_a_dataset_says_how_many_are_drawn_and_each_file_left_out_once(
    save: Callable[..., Path], tmp_path: Path
) -> None:
    for number in range(60):
        save(f"{number}.jpg")
    (tmp_path / "notes.txt").touch()
    data = SideBySide(root=tmp_path, train=".", validation=0.1)
    train, validation = data.open("train"), data.open("validation")
    assert [pair.key for pair in validation] == ["26.jpg", "34.jpg", "36.jpg", "38.jpg"]
    assert (len(train), train.description) == (56, f"56 of 60 pairs (validation = 0.1) in {tmp_path}")
    assert validation.description == f"4 of 60 pairs (validation = 0.1) in {tmp_path}"
    assert (train.left_out, validation.left_out) == ({".txt": ["notes.txt"]}, {})


@pytest.mark.parametrize(
    ("places", "split", "there"),
    [
        (("train", "val", "test"), True, {"train", "val", "test"}),
        (("train", "val", "test"), False, {"train", "val"}),
        (("train", "test", "test"), False, {"train", "test"}),
        ((".", 0.1, "test"), False, {".", "test"}),
        (("train", 0.1, "train/test"), False, {"train", "train/test"}),
        (("train", "val", "."), True, {"."}),
        (("train", "val", "."), False, {".", "train"}),
    ],
)
def test_a_test_split_is_a_place_apart(places: tuple[str, str | float, str], split: bool, there: set[str]) -> None:
    assert ("test" in Splits(*places).available(there.__contains__)) == split


def test_test_pairs_are_read_from_their_folder_alone(make_pairs: Callable[..., Path]) -> None:
    root = make_pairs(count=2)
    assert list(SideBySide(root=root).available_splits()) == ["train", "validation"]
    with pytest.raises(DataError, match='no folder "test"') as caught:
        SideBySide(root=root).open("test")
    assert '"test" names it' in str(caught.value.hint)
    (root / "test").mkdir()
    (root / "train" / "0.png").rename(root / "test" / "7.png")
    data = SideBySide(root=root)
    assert list(data.available_splits()) == ["train", "validation", "test"]
    assert [[pair.key for pair in data.open(split)] for split in data.available_splits()] == [
        ["1.png"],
        ["0.png", "1.png"],
        ["7.png"],
    ]
    shared = SideBySide(root=root, test="train")
    assert list(shared.available_splits()) == ["train", "validation"]
    with pytest.raises(DataError, match='"train" is not apart from "train", that of train pairs'):
        shared.open("test")
