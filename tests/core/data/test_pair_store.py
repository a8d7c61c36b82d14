"""Pairs on the disk: by several threads and processes at once, torn, damaged, and where there is no room."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from genlab.data.pair import Record
from genlab.data.pair_store import PairStore

PLENTY = 2**30


def pair(index: int, dtype: torch.dtype = torch.uint8, size: int = 8) -> Record:
    values = torch.from_numpy(np.random.default_rng(index).integers(0, 256, (2, 3, size, size)))
    return Record(f"pair {index}", (values[0].to(dtype), values[1, :1].to(dtype)))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def assert_equal(found: Record | None, expected: Record) -> None:
    assert found is not None
    assert found.key == expected.key
    for one, other in zip(found.images, expected.images, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float32])
def test_what_is_put_there_is_found_by_the_next(tmp_path, dtype):
    store = PairStore(made(tmp_path / "store"), 4, PLENTY)
    assert store.get(2) is None
    for index in (2, 0):
        store.put(index, pair(index, dtype))
    for reader in (store, PairStore(tmp_path / "store", 4, PLENTY)):
        assert_equal(reader.get(2), pair(2, dtype))
        assert_equal(reader.get(0), pair(0, dtype))
        assert reader.get(1) is None and reader.get(3) is None


@pytest.mark.parametrize("count", [1, 3])
def test_a_record_has_any_number_of_images(tmp_path, count):
    images = tuple(torch.full((1, 2, number + 1), number, dtype=torch.uint8) for number in range(count))
    PairStore(tmp_path, 2, PLENTY).put(1, Record("zebra", images))
    assert_equal(PairStore(tmp_path, 2, PLENTY).get(1), Record("zebra", images))


def test_what_is_found_may_be_changed(tmp_path):
    store = PairStore(tmp_path, 1, PLENTY)
    store.put(0, pair(0))
    store.get(0).images[0].zero_()
    assert_equal(store.get(0), pair(0))


def test_a_key_of_any_letters_comes_back(tmp_path):
    store = PairStore(tmp_path, 3, PLENTY)
    for index, key in enumerate(["straße/ß.png", "k" * 250]):
        store.put(index, pair(index)._replace(key=key))
        assert store.get(index).key == key
    store.put(2, pair(2)._replace(key="k" * 251))
    assert store.get(2) is None


@pytest.mark.parametrize("place", [0, 4, 5, 6, 100, 300, -1])
def test_a_damaged_record_is_not_there(tmp_path, place):
    store = PairStore(tmp_path, 1, PLENTY)
    store.put(0, pair(0))
    records = bytearray((tmp_path / "records").read_bytes())
    records[place] ^= 1
    (tmp_path / "records").write_bytes(records)
    damaged = PairStore(tmp_path, 1, PLENTY)
    assert damaged.get(0) is None
    damaged.put(0, pair(0))
    assert_equal(damaged.get(0), pair(0))


@pytest.mark.parametrize("file", ["records", "form.json"])
def test_a_file_of_another_store_is_not_used(tmp_path, file):
    """Of one with as many bytes a pair."""
    wide, high = (Record("a", (torch.zeros(3, *size), torch.ones(1, *size))) for size in ((4, 8), (8, 4)))
    other = wide._replace(images=(wide.images[0], wide.images[0][:1]))
    for name, stored in (("one", wide), ("other", other), ("form", high)):
        PairStore(made(tmp_path / name), 1, PLENTY).put(0, stored)
    shutil.copyfile(tmp_path / ("other" if file == "records" else "form") / file, tmp_path / "one" / file)
    assert PairStore(tmp_path / "one", 1, PLENTY).get(0) is None


def test_a_record_in_the_place_of_another_is_not_used(tmp_path):
    store = PairStore(tmp_path, 2, PLENTY)
    for index in range(2):
        store.put(index, pair(index))
    content = (tmp_path / "records").read_bytes()
    (tmp_path / "records").write_bytes(content[len(content) // 2 :] * 2)
    assert PairStore(tmp_path, 2, PLENTY).get(0) is None
    assert_equal(PairStore(tmp_path, 2, PLENTY).get(1), pair(1))


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"{}",
        b'{"types": ["uint8"], "shapes": []}',
        b'{"types": 3, "shapes": 4}',
        b'{"types": ["nonsense", "uint8"], "shapes": [[3, 8, 8], [1, 8, 8]]}',
        b'{"types": ["uint8", "uint8"], "shapes": [["a"], ["b"]]}',
        b'{"types": ["uint8", "uint8"], "shapes": [[-300], [5]]}',
        b'{"types": ["uint8"], "shapes": [[3, 8, 8], [1, 8, 8]]}',
        b'{"types": [], "shapes": []}',
    ],
)
def test_a_damaged_form_is_written_again(tmp_path, form):
    PairStore(tmp_path, 1, PLENTY).put(0, pair(0))
    (tmp_path / "form.json").write_bytes(form)
    store = PairStore(tmp_path, 1, PLENTY)
    assert store.get(0) is None
    store.put(0, pair(0))
    assert_equal(PairStore(tmp_path, 1, PLENTY).get(0), pair(0))


def test_pairs_of_another_form_are_not_kept(tmp_path):
    store = PairStore(tmp_path, 3, PLENTY)
    for index, other in enumerate((pair(0), pair(1, torch.float32), pair(2, size=4))):
        store.put(index, other)
    assert_equal(store.get(0), pair(0))
    assert store.get(1) is None and store.get(2) is None


def test_only_those_that_fit_are_kept(tmp_path):
    record = 256 + 4 * 64
    store = PairStore(made(tmp_path / "two"), 5, 3 * record - 1)
    for index in range(5):
        store.put(index, pair(index))
    assert [store.get(index) is not None for index in range(5)] == [True, True, False, False, False]
    nothing = PairStore(made(tmp_path / "none"), 5, record - 1)
    nothing.put(0, pair(0))
    assert nothing.get(0) is None


def test_threads_do_not_disturb_each_other(tmp_path):
    store = PairStore(tmp_path, 50, PLENTY)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: store.put(index % 50, pair(index % 50)), range(200)))
        found = list(pool.map(lambda index: store.get(index % 50), range(200)))
    for index, one in enumerate(found):
        assert_equal(one, pair(index % 50))


_WRITER = """
import sys
from pathlib import Path
from tests.core.data.test_pair_store import PLENTY, assert_equal, pair
from genlab.data.pair_store import PairStore

store = PairStore(Path(sys.argv[1]), 200, PLENTY)
found = 0
for index in range(200):
    one = store.get(index)
    if one is None:
        store.put(index, pair(index))
    else:
        found += 1
        assert_equal(one, pair(index))
print(found)
"""


def test_processes_fill_one_store_together(tmp_path, python):
    root = Path(__file__).parents[3]
    command = [*python, "-c", _WRITER, str(tmp_path)]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=root) for _ in range(3)]
    ends = [writer.communicate(timeout=60) for writer in writers]
    assert [(writer.returncode, errors) for writer, (_, errors) in zip(writers, ends, strict=True)] == [(0, "")] * 3
    store = PairStore(tmp_path, 200, PLENTY)
    for index in range(200):
        assert_equal(store.get(index), pair(index))


def test_a_disk_that_is_full_costs_a_warning_and_no_more(small_disk, caplog):
    store = PairStore(made(small_disk / "store"), 1000, PLENTY)
    with caplog.at_level(logging.WARNING, "genlab"):
        for index in range(100):
            store.put(index, pair(index, torch.float32, 64))
    assert len(caplog.records) == 1
    assert "cannot be written" in caplog.text and "No space left" in caplog.text
    assert_equal(store.get(0), pair(0, torch.float32, 64))
    assert store.get(99) is None


def test_what_is_removed_while_it_is_used_is_no_failure(tmp_path, caplog):
    store = PairStore(made(tmp_path / "store"), 2, PLENTY)
    store.put(0, pair(0))
    shutil.rmtree(tmp_path / "store")
    assert store.get(0) is None
    store.put(1, pair(1))
    assert store.get(1) is None
    assert "cannot be written" in caplog.text


def test_the_form_says_what_the_records_are(tmp_path):
    PairStore(tmp_path, 2, PLENTY).put(1, pair(1))
    form = json.loads((tmp_path / "form.json").read_text())
    assert form == {"types": ["uint8", "uint8"], "shapes": [[3, 8, 8], [1, 8, 8]]}
    assert (tmp_path / "records").stat().st_size == 2 * (256 + 4 * 64)
