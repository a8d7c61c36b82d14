"""Which of several datasets is used, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genlab import DataError, Dataset, DataUnavailableError, Pairs, Split
from genlab_images.first_available import FirstAvailable
from genlab_images.side_by_side import SideBySide

Save = Callable[..., Path]


@pytest.fixture
def here(save: Save, tmp_path: Path) -> SideBySide:
    save("here/train/1.png")
    return SideBySide(root=tmp_path / "here")


def missing(tmp_path: Path, name: str = "missing") -> SideBySide:
    return SideBySide(root=tmp_path / name)


class Counting(Dataset):
    """Passes on to a dataset and counts how often it is probed."""

    def __init__(self, inner: Dataset) -> None:
        self.inner = inner
        self.probes = 0

    def open(self, split: Split) -> Pairs:
        return self.inner.open(split)

    def probe(self) -> None:
        self.probes += 1
        self.inner.probe()


def test_the_first_is_taken_without_a_word(here: SideBySide, tmp_path: Path) -> None:
    assert FirstAvailable(sources=[here, missing(tmp_path)]).choose()[:2] == (here, None)


def test_the_next_is_taken_with_a_reason(here: SideBySide, tmp_path: Path) -> None:
    dataset, reason, _ = FirstAvailable(sources=[missing(tmp_path, "x"), missing(tmp_path, "y"), here]).choose()
    assert dataset is here
    assert reason == (
        f"{tmp_path / 'x'} is not available: there is no such folder; "
        f"{tmp_path / 'y'} is not available: there is no such folder"
    )


def test_pairs_are_those_of_the_choice(here: SideBySide, tmp_path: Path) -> None:
    pairs = FirstAvailable(sources=[missing(tmp_path), here]).open("train")
    assert [pair.key for pair in pairs] == ["1.png"]
    assert pairs.fingerprint() == here.open("train").fingerprint()


def test_a_choice_within_a_choice_is_followed(here: SideBySide, tmp_path: Path) -> None:
    inner = FirstAvailable(sources=[missing(tmp_path, "inner"), here])
    dataset, reason, _ = FirstAvailable(sources=[missing(tmp_path, "outer"), inner]).choose()
    assert dataset is here
    assert reason is not None
    assert reason.index("outer") < reason.index("inner")


def test_none_can_be_had(here: SideBySide, tmp_path: Path) -> None:
    none = FirstAvailable(sources=[missing(tmp_path, "x"), missing(tmp_path, "y")])
    for action in (none.probe, none.choose, lambda: none.open("train")):
        with pytest.raises(DataUnavailableError, match="no source is available") as caught:
            action()
        for name in ("x", "y"):
            assert f"{tmp_path / name} is not available: there is no such folder" in caught.value.what
        assert str(caught.value.hint).count('Set "root"') == 1, "hints that are the same are given once"
    assert FirstAvailable(sources=[none, here]).choose().dataset is here


def test_sources_are_asked_once(here: SideBySide, tmp_path: Path) -> None:
    first, second, third = Counting(missing(tmp_path)), Counting(here), Counting(here)
    data = FirstAvailable(sources=[first, second, third])
    data.probe()
    data.choose()
    data.open("train")
    assert (first.probes, second.probes, third.probes) == (1, 1, 0)


def test_broken_data_is_an_error_and_no_reason_to_go_on(here: SideBySide, tmp_path: Path) -> None:
    (tmp_path / "archive.zip").touch()
    with pytest.raises(DataError, match="a file, not a folder"):
        FirstAvailable(sources=[SideBySide(root=tmp_path / "archive.zip"), here]).choose()


def test_no_sources_are_refused() -> None:
    with pytest.raises(ValueError, match="sources is empty"):
        FirstAvailable(sources=[])
