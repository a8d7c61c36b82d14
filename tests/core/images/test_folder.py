"""What a folder of images gives, and what is said of the rest that lies in it."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from genlab import DataError, find_images
from genlab.images.folder import describe_left_out

UMLAUTS = unicodedata.normalize("NFC", "Höfe.png"), unicodedata.normalize("NFD", "Höfe.png")


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., None]:
    def make(*names: str) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


def test_images_come_in_natural_order(tmp_path: Path, touch: Callable[..., None]) -> None:
    touch("10.PNG", "2.jpg", "tower/10.npy", "tower/9.tif", "Ä.webp")
    found = find_images(tmp_path)
    assert list(map(str, found.files)) == ["2.jpg", "10.PNG", "tower/9.tif", "tower/10.npy", "Ä.webp"]
    assert found.left_out == {}


def test_links_are_followed_twice_if_need_be(tmp_path: Path, touch: Callable[..., None]) -> None:
    touch("elsewhere/1.png", "elsewhere/deep/2.png", "here/3.png")
    for name in ("first", "second"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here/4.png").symlink_to("3.png")
    (tmp_path / "also").symlink_to("here")
    for folder in ("here", "also"):
        assert list(map(str, find_images(tmp_path / folder).files)) == [
            *("3.png", "4.png", "first/1.png", "first/deep/2.png", "second/1.png", "second/deep/2.png")
        ]


def test_everything_else_is_counted_by_kind_with_its_names(tmp_path: Path, touch: Callable[..., None]) -> None:
    touch("1.png", "a.txt", "notes/b.TXT", "README", ".DS_Store", ".git/9.png", ".git/config", "__MACOSX/._1.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "itself.png").symlink_to("itself.png")
    found = find_images(tmp_path)
    assert list(map(str, found.files)) == ["1.png"]
    assert found.left_out == {
        "hidden": [".DS_Store", ".git", "__MACOSX/._1.png"],
        ".txt": ["a.txt", "notes/b.TXT"],
        "linked to nowhere": ["gone.png", "itself.png"],
        "not a regular file": ["pipe.png"],
        "without an extension": ["README"],
    }


def test_a_line_names_a_few_of_each_kind() -> None:
    assert describe_left_out({}) == ""
    line = describe_left_out({".txt": ["1.txt", "2.txt", "3.txt", "4.txt"], "hidden": [".a"]})
    assert line == "4 .txt (1.txt, 2.txt, 3.txt, ...), 1 hidden (.a)"
    line = describe_left_out({"hidden": [".a"], ".txt": ["1\n.txt", "2.txt"]})
    assert line == r"2 .txt ('1\n.txt', 2.txt), 1 hidden (.a)"
    assert describe_left_out({f".{kind}": ["a", "b"] for kind in range(14)}).endswith(
        "2 .11 (a, b) and 4 of other kinds"
    )


@pytest.mark.parametrize("target", [".", "..", "../..", "/"])
def test_a_link_that_leads_back_is_refused(tmp_path: Path, touch: Callable[..., None], target: str) -> None:
    touch("images/deep/1.png")
    (tmp_path / "images/deep/up").symlink_to(target)
    with pytest.raises(DataError, match="leads back to") as caught:
        find_images(tmp_path / "images")
    assert caught.value.where == str(tmp_path / "images/deep/up")


def test_two_links_that_lead_to_each_other_are_refused(tmp_path: Path, touch: Callable[..., None]) -> None:
    touch("one/1.png", "two/2.png")
    (tmp_path / "one/other").symlink_to(tmp_path / "two")
    (tmp_path / "two/other").symlink_to(tmp_path / "one")
    with pytest.raises(DataError, match="leads back to") as caught:
        find_images(tmp_path / "one")
    assert caught.value.where == str(tmp_path / "one/other/other")


def test_names_equal_but_for_their_unicode_form_are_refused(tmp_path: Path, touch: Callable[..., None]) -> None:
    touch(*(f"yard/{name}" for name in UMLAUTS))
    with pytest.raises(DataError, match="Unicode form") as caught:
        find_images(tmp_path)
    assert r"'yard/H\xf6fe.png' and" in caught.value.what or r"and 'yard/H\xf6fe.png'" in caught.value.what
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("name", [b"\xff.png", b"\xff.txt", b"\xff/1.png"])
def test_names_that_are_not_text_are_refused(tmp_path: Path, touch: Callable[..., None], name: bytes) -> None:
    touch("1.png", os.fsdecode(name))
    with pytest.raises(DataError, match="not UTF-8") as caught:
        find_images(tmp_path)
    assert str(caught.value.where).isascii()


def test_a_folder_that_may_not_be_read_is_refused(locked: Path) -> None:
    with pytest.raises(DataError, match="Permission denied") as caught:
        find_images(locked.parent)
    assert caught.value.where == str(locked)


def test_a_link_into_a_folder_that_may_not_be_read_is_refused(locked: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "images")
        link.symlink_to(locked / "images")
        with pytest.raises(DataError, match="Permission denied") as caught:
            find_images(Path(folder))
    assert caught.value.where == str(link)


def test_a_folder_without_images_says_what_is_there(tmp_path: Path, touch: Callable[..., None]) -> None:
    with pytest.raises(DataError, match="no image in this folder; it is empty"):
        find_images(tmp_path)
    touch("1.gif", "2.gif", "README")
    with pytest.raises(DataError, match=r"2 \.gif \(1.gif, 2.gif\), 1 without an extension \(README\)") as caught:
        find_images(tmp_path)
    assert ".png, .jpg, .jpeg" in str(caught.value.hint)
    with pytest.raises(DataError, match="No such file or directory"):
        find_images(tmp_path / "missing")
