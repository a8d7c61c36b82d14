"""Pairs listed in CSV and in JSON Lines, and what is said of a list that is not as expected."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest

from genlab import DataError, Pairs
from genlab_images.file_list import FileList

RED, BLUE = (255, 0, 0), (0, 0, 255)

Save = Callable[..., Path]


@pytest.fixture
def train(save: Save, tmp_path: Path) -> Callable[..., Pairs]:
    """Open a list of this text, beside which `1.png` and `2.png` are red, and `b/1.png` and `b/2.png` blue."""
    for number in (1, 2):
        save(f"lists/{number}.png", RED)
        save(f"lists/b/{number}.png", BLUE)

    def opened(text: str | bytes, name: str = "train.csv", **settings) -> Pairs:
        (tmp_path / "lists" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return FileList(root=tmp_path / "lists", train=name, **settings).open("train")

    return opened


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.csv", "a,b\n1.png,b/1.png\n2.png,b/2.png\n"),
        ("list.CSV", '\ufeffid,b,a\r\n7,"b/1.png",./1.png\r\n\r\n8,b/2.png,2.png\r\n'),
        ("train.jsonl", '{"a": "1.png", "b": "b/1.png"}\n\n{"b": "b/2.png", "a": "2.png", "id": 7}'),
    ],
)
def test_columns_name_the_files_of_each_side(train: Callable[..., Pairs], tmp_path: Path, name: str, text: str) -> None:
    pairs = train(text, name)
    assert [pair.key for pair in pairs] == ["1.png", "2.png"]
    assert all(pair.a[0, 0].argmax() == 0 and pair.b[0, 0].argmax() == 2 for pair in pairs)
    assert pairs.description == f"2 pairs listed in {tmp_path / 'lists' / name}"


def test_columns_are_settings_and_paths_may_lead_elsewhere(save: Save, train: Callable[..., Pairs]) -> None:
    photo, _ = save("elsewhere/photo.png", BLUE), save("elsewhere/labels.png", RED)
    (pair,) = train(f"x,y\n{photo},../elsewhere/labels.png", a="y", b="x")
    assert pair.key == "../elsewhere/labels.png"
    assert (pair.a == RED).all()


def test_paths_match_in_each_form_of_unicode(save: Save, train: Callable[..., Pairs]) -> None:
    save(f"lists/{normalize('NFD', 'Höfe')}.png", RED)
    save(f"lists/b/{normalize('NFC', 'Höfe')}.png", BLUE)
    (pair,) = train(f"a,b\n{normalize('NFC', 'Höfe')}.png,b/{normalize('NFD', 'Höfe')}.png")
    assert pair.key == normalize("NFC", "Höfe.png")


def test_a_share_of_the_list_validates(save: Save, tmp_path: Path) -> None:
    for number in range(20):
        save(f"{number}.png")
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps({"a": f"{n}.png", "b": "0.png"}) for n in range(20)))
    data = FileList(root=tmp_path, train="all.jsonl", validation=0.2)
    keys = [{pair.key for pair in data.open(split)} for split in ("train", "validation")]
    assert keys[0] | keys[1] == {f"{number}.png" for number in range(20)}
    assert not keys[0] & keys[1]
    assert all(keys)


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("train.csv", "photo;b\n1.png;b/1.png", 1, 'no column "a"'),
        ("train.csv", "a,b\n1.png,b/1.png\n2.png", 3, "expected 2 values, as the first line has, got 1"),
        ("train.csv", "a,b\n1.png,b/1.png,7", 2, "expected 2 values, as the first line has, got 3"),
        ("train.csv", "a,b,a\n1.png,b/1.png,2.png", 1, 'two columns are called "a"'),
        ("train.csv", 'a,b\n"1.png" ,b/1.png', 2, "the line is not CSV"),
        ("train.csv", "a,b\n,b/1.png", 2, 'the column "a" holds "", not a path'),
        ("train.csv", "a,b\n1.png,b/1.png\n./1.png,b/2.png", 3, '"1.png" is listed already, at .*:2, '),
        ("train.csv", "a,b\n1.png,b/1.png\n2.png,b/3.png", 3, "column b: No such file or directory: 'b/3.png'"),
        ("train.csv", "a,b\n1.png,b", 2, 'column b: "b" is not a regular file'),
        ("train.csv", "a,b\n1.png,pipe.png", 2, 'column b: "pipe.png" is not a regular file'),
        ("train.csv", "a,b\n~/1.png,b/1.png", 2, "No such file or directory: '~/1.png'"),
        ("train.csv", "a,b\nhttps://x.org/1.png,b/1.png", 2, "No such file or directory: 'https://x.org/1.png'"),
        ("train.jsonl", '{"a": "1.png", "b": "b/1.png"}\n{"a": }', 2, "the line is not JSON"),
        ("train.jsonl", "\n[1]", 2, "the line is not a JSON object"),
        ("train.jsonl", "[" * 100_000, 1, "the line is not JSON"),
        ("train.jsonl", '{"a": "1.png", "b": "b/1.png", "a": "2.png"}', 1, 'two columns are called "a"'),
        ("train.jsonl", '{"b": "b/1.png"}', 1, 'no column "a"'),
        ("train.jsonl", '{"a": 3, "b": "b/1.png"}', 1, 'the column "a" holds 3, not a path'),
        ("train.jsonl", '{"a": "\\u0000", "b": "b/1.png"}', 1, "this is not a path"),
        ("train.jsonl", '{"a": "\\ud800", "b": "b/1.png"}', 1, "this is not a path"),
    ],
)
def test_a_line_that_is_not_as_expected_is_named(
    train: Callable[..., Pairs], tmp_path: Path, name: str, text: str, line: int, what: str
) -> None:
    (tmp_path / "lists").mkdir(exist_ok=True)
    os.mkfifo(tmp_path / "lists/pipe.png")
    with pytest.raises(DataError, match=what) as caught:
        train(text, name)
    assert caught.value.where == f"{tmp_path / 'lists' / name}:{line}"


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("train.csv", b"a,b\n\xff", "it is not UTF-8"),
        ("train.csv", "a,b\n", "there are no pairs"),
        ("train.jsonl", "", "there are no pairs"),
        ("train.txt", "1.png b/1.png", "expected a .csv or a .jsonl file, got .txt"),
    ],
)
def test_a_file_that_is_no_list_is_named(
    train: Callable[..., Pairs], tmp_path: Path, name: str, text: str | bytes, what: str
) -> None:
    with pytest.raises(DataError, match=what) as caught:
        train(text, name)
    assert caught.value.where == str(tmp_path / "lists" / name)


def test_a_missing_list_names_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").touch()
    with pytest.raises(DataError, match=r'no file "train.csv"; the lists there are pairs\.csv') as caught:
        FileList(root=tmp_path).open("train")
    assert '"train"' in str(caught.value.hint)
    os.mkfifo(tmp_path / "train.csv")
    with pytest.raises(DataError, match="not a regular file"):
        FileList(root=tmp_path).open("train")


def test_a_broken_image_is_named_with_its_line(train: Callable[..., Pairs], tmp_path: Path) -> None:
    (tmp_path / "lists/b/2.png").write_bytes(b"")
    with pytest.raises(DataError, match="it is empty") as caught:
        train("a,b\n1.png,b/1.png\n2.png,b/2.png")
    lists = tmp_path / "lists"
    assert caught.value.where == f"{lists / 'train.csv'}:3, {lists / 'b/2.png'}"


def test_all_lines_that_are_at_fault_are_named(train: Callable[..., Pairs], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 of 4 lines cannot be used") as caught:
        train("a,b\n1.png,b/1.png\n2.png,no.png\n1.png,b/2.png\n,b/2.png")
    assert caught.value.where == str(tmp_path / "lists/train.csv")
    for line, what in ((3, "column b: No such file"), (4, "listed already"), (5, "not a path")):
        assert re.search(rf"train.csv:{line}: .*{what}", caught.value.what)
