"""The interface between genlab and plugins: its reference is current, and it changes only with its version."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import genlab
import genlab.testing
from genlab.hooks import INTERFACE
from genlab.registry import KINDS

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "tests" / "assets" / "interface"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that writes the reference."""
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_current(maker: ModuleType) -> None:
    """If not: `python docs/make_reference.py`."""
    written = {path.name: path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md")}
    assert written == maker.pages()


def test_there_is_a_page_for_each_kind() -> None:
    assert {path.stem for path in (ROOT / "docs" / "reference").glob("*.md")} == {*KINDS, "README"}


def test_a_page_tells_all_that_an_author_needs(maker: ModuleType) -> None:
    page = maker.pages()["dataset.md"]
    for words in (
        "A recipe names it in the table `[data]`",
        "### `open(split: Split) -> Pairs`, which a class must have",
        "#### `__getitem__(index: int) -> Pair`, which a class must have",
        "- `channels: int = 3`: how many channels each array has.",
        "| keys are unique | A pair is known by its key. |",
        "| `validation_count` | an integer of at least",
    ):
        assert words in page


# What plugins may rely on


def surface() -> Iterator[str]:
    """A line for each name that plugins may use: of functions with arguments, of classes with what they have."""
    for module in (genlab, genlab.testing):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield f"{module.__name__}.{name}({arguments(value)})"
                continue
            yield f"{module.__name__}.{name}"
            if inspect.isclass(value) and not issubclass(value, Exception):
                yield from (f"{module.__name__}.{name}.{line}" for line in members(value))
    yield from (f"{kind.name}: {', '.join((*kind.supplied, *kind.reserved))}" for kind in KINDS.values())


def members(cls: type) -> Iterator[str]:
    needed = getattr(cls, "__abstractmethods__", frozenset())
    for owner in (base for base in reversed(cls.__mro__) if base.__module__.startswith("genlab.")):
        yield from (name for name in inspect.get_annotations(owner) if not name.startswith("_"))
        for name, member in vars(owner).items():
            function = member.fget if isinstance(member, property) else member
            if (name in needed or not name.startswith("_")) and inspect.isfunction(function):
                yield f"{name}({arguments(function)}){' (needed)' if name in needed else ''}"


def arguments(function: Any) -> str:
    given = [entry for entry in inspect.signature(function).parameters.values() if entry.name != "self"]
    return ", ".join(entry.name if entry.default is entry.empty else f"{entry.name}=..." for entry in given)


def recorded(version: str) -> set[str]:
    return set((RECORDS / f"{version}.txt").read_text().splitlines())


def test_the_interface_is_what_its_version_says(pytestconfig: pytest.Config) -> None:
    """What is added asks for a new minor version, and what goes or is needed anew for a new major one.

    Then `--record-interface` writes the file of the new version, and those of older ones stay as they are.
    """
    if pytestconfig.getoption("--record-interface"):
        (RECORDS / f"{INTERFACE}.txt").write_text("\n".join(sorted(set(surface()))) + "\n")
    assert sorted(set(surface())) == sorted(recorded(INTERFACE))


def test_minor_versions_only_add() -> None:
    versions = sorted((tuple(map(int, path.stem.split("."))), path.stem) for path in RECORDS.glob("*.txt"))
    for ((major, _), one), ((next_major, _), other) in pairwise(versions):
        if major == next_major:
            assert recorded(one) <= recorded(other)


def test_the_promise_names_the_version() -> None:
    assert f"version {INTERFACE}" in (ROOT / "docs" / "interface.md").read_text()


def test_what_is_needed_is_part_of_the_record() -> None:
    lines = set(surface())
    assert "genlab.Metric.merge(other) (needed)" in lines
    assert "genlab.Pair.key" in lines
    assert "genlab.testing.MetricSuite.definition(condition, target, prediction)" in lines
    assert "loss: name, weight" in lines
