"""Where pairs are kept, how much of them, and for which content."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch
from tests.conftest import GenCommand

from genlab import StorageError
from genlab.data.cache import Cache, name_of
from genlab.data.pair import Record

PLENTY = 2**30
SIDE = torch.zeros(3, 64, 64, dtype=torch.uint8)


def filled(cache: Cache, name: str, days_ago: float = 0.0, count: int = 4) -> None:
    """A store with pairs, used last so many days ago."""
    store = cache.store({"pairs": name}, count, f"pairs of {name}")
    assert store
    for index in range(count):
        store.put(index, Record(f"{index}", (SIDE + index, SIDE)))
    then = time.time() - days_ago * 86_400
    os.utime(cache.folder / name_of({"pairs": name}) / "about.json", (then, then))


def test_it_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))
    monkeypatch.setenv("GENLAB_CACHE_GIB", "0.5")
    cache = Cache.of_this_machine()
    assert cache and (cache.folder, cache.most) == (tmp_path, 2**29)
    monkeypatch.setenv("GENLAB_CACHE", "off")
    assert Cache.of_this_machine() is None


def test_it_is_in_the_users_folder_for_such_things(tmp_path, monkeypatch):
    monkeypatch.delenv("GENLAB_CACHE", raising=False)
    monkeypatch.delenv("GENLAB_CACHE_GIB", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = Cache.of_this_machine()
    assert cache and (cache.folder, cache.most) == (tmp_path / "genlab" / "pairs", 20 * 2**30)


@pytest.mark.parametrize("given", ["much", "-1", "inf", "nan", "1e300"])
def test_a_size_that_is_none_is_refused(monkeypatch, given):
    monkeypatch.delenv("GENLAB_CACHE", raising=False)
    monkeypatch.setenv("GENLAB_CACHE_GIB", given)
    with pytest.raises(
        StorageError, match=f"GENLAB_CACHE_GIB: expected a number of gibibytes from 0 to .*, got '{given}'"
    ):
        Cache.of_this_machine()


def test_other_content_has_another_store(tmp_path):
    content = {"pairs": "a", "size": (8, 8), "direction": "a_to_b"}
    assert name_of(content) == name_of(dict(reversed(content.items())))
    others = [{**content, "pairs": "b"}, {**content, "size": (8, 9)}, {**content, "direction": "b_to_a"}]
    assert len({name_of(one) for one in (content, *others)}) == 4


def test_it_tells_what_it_holds(tmp_path):
    cache = Cache(tmp_path, PLENTY)
    assert cache.entries() == []
    filled(cache, "old", days_ago=2)
    filled(cache, "new")
    (tmp_path / "something else").mkdir()
    new, old = cache.entries()
    assert (new.description, old.description) == ("pairs of new", "pairs of old")
    assert 4 * 2 * SIDE.nbytes < old.bytes < 8 * 2 * SIDE.nbytes
    kept = cache.content([{"pairs": "old"}, {"pairs": "never seen"}])
    assert (kept.mine, kept.others) == ((old,), (new,))


def test_folders_of_others_are_left_alone(tmp_path):
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "about.json").write_text('{"description": "My thesis"}')
    cache = Cache(tmp_path, 0)
    assert cache.entries() == []
    cache.store({"pairs": "a"}, 4, "a")
    assert (mine / "about.json").exists()


@pytest.mark.parametrize("about", ["", "[1]", "null", "{}", "\x00"])
def test_a_damaged_description_is_written_again(tmp_path, about):
    cache = Cache(tmp_path, PLENTY)
    filled(cache, "a")
    (tmp_path / name_of({"pairs": "a"}) / "about.json").write_text(about)
    (entry,) = cache.entries()
    assert entry.description == "unknown" and entry.bytes > 0
    filled(cache, "a")
    assert cache.entries()[0].description == "pairs of a"


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    one = 4 * (2 * SIDE.nbytes + 256) + 4096 * 3
    cache = Cache(tmp_path, 3 * one)
    for days, name in enumerate(["today", "yesterday", "earlier", "long ago"]):
        filled(cache, name, days_ago=days + 0.5)
    cache.store({"pairs": "long ago"}, 4, "pairs of long ago")
    left = {entry.description for entry in cache.entries()}
    assert left == {"pairs of long ago", "pairs of today", "pairs of yesterday"}


def test_what_another_process_has_just_opened_stays(tmp_path):
    cache = Cache(tmp_path, 1)
    big = Cache(tmp_path, PLENTY)
    filled(big, "another's")
    filled(big, "old", days_ago=1)
    cache.store({"pairs": "mine"}, 4, "mine")
    assert {entry.description for entry in cache.entries()} == {"pairs of another's", "mine"}


def test_shelves_that_are_filled_together_stay_within_the_size(tmp_path):
    cache = Cache(tmp_path, 300_000)
    stores = [cache.store({"pairs": name}, 1000, name, share=1 / 3) for name in ("a", "b", "c")]
    for store in stores:
        for index in range(20):
            store.put(index, Record(f"{index}", (SIDE, SIDE)))
    kept = sum(file.stat().st_blocks * 512 for file in tmp_path.rglob("records"))
    assert 150_000 < kept <= 310_000


def test_where_nothing_can_be_written_a_run_says_so_once_and_trains(tmp_path: Path, tiny: Path, gen: GenCommand):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        Cache(tmp_path / "file", PLENTY).store({"pairs": "a"}, 4, "a")
    ended = gen("run", tiny, GENLAB_CACHE=str(tmp_path / "file"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("The cache of pairs is not available") == 1
