"""The file itself: whole lines, safe cells, and what becomes of lines that were cut short."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from genlab_csv.table import Table

HEAD = ["name", "value"]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    table = Table(tmp_path / "table.csv", HEAD)
    table.write([])
    return table


def cells(table: Table) -> list[list[str]]:
    with table.file.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == HEAD
    return rows


@pytest.mark.parametrize("name", ["a,b", 'say "a"', "ü, é and 象", "validation/l1", "", " a "])
def test_a_name_is_read_back_as_it_was(table: Table, name: str) -> None:
    table.add([(name, 1)])
    assert cells(table) == [[name, "1"]]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-a", "@sum(a1)", "\t=1+1", "  =1+1"])
def test_a_spreadsheet_computes_no_name(table: Table, name: str) -> None:
    table.add([(name, -1.5)])
    ((text, value),) = cells(table)
    assert text.startswith("'")
    assert text.endswith(name.strip())
    assert value == "-1.5"


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b", "a\udc80b"])
def test_a_row_is_one_line_whatever_its_name_holds(table: Table, name: str) -> None:
    table.add([(name, 1)])
    assert cells(table) == [["a b", "1"]]
    assert len(table.file.read_text(encoding="utf-8").splitlines()) == 2


def test_what_is_kept_is_what_is_wanted(table: Table) -> None:
    table.add([("a, b", 1), ("c", 2), ("d", 3)])
    table.keep(lambda row: row["value"] != "2")
    assert cells(table) == [["a, b", "1"], ["d", "3"]]


@pytest.mark.parametrize("torn", [b"b", b"b,", b"b,1.2", b'"b', b'"b\xc3', b"\0" * 40, b"b\n", b"b,1,2\n", b"\n"])
def test_a_line_that_is_not_whole_goes_away(table: Table, torn: bytes) -> None:
    table.add([("a", 1)])
    with table.file.open("ab") as file:
        file.write(torn)
    table.keep(lambda _: True)
    assert cells(table) == [["a", "1"]]


def test_without_a_file_keeping_begins_one(tmp_path: Path) -> None:
    table = Table(tmp_path / "new.csv", HEAD)
    table.keep(lambda _: True)
    assert cells(table) == []


def test_writing_replaces_what_was_there(table: Table) -> None:
    table.add([("a", 1)])
    table.write([("b", 2)])
    assert cells(table) == [["b", "2"]]
    assert [path.name for path in table.file.parent.iterdir()] == ["table.csv"]
