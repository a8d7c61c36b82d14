"""The interface between genlab and plugins: its reference is current, and it changes only with its version."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import genlab
import genlab.testing
from genlab.interfaces.kinds import KINDS
from genlab.registry.hooks import GROUP, INTERFACE, genlab_register

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "tests" / "assets" / "interface"
NEEDED = " (needed)"
ADVICE = (
    "what plugins can see is not what was recorded. If that is meant, look up the version in docs/interface.md and run "
    "`pytest tests/test_interface.py --record-interface` and `python docs/make_reference.py`"
)


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    """The script that writes the reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield importlib.import_module("make_reference")


def test_the_reference_is_current(maker: ModuleType) -> None:
    written = {path.name: path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md")}
    pages = maker.pages()
    old = sorted(name for name in {*written, *pages} if written.get(name) != pages.get(name))
    assert old == [], "run `python docs/make_reference.py`; delete pages that it does not write"


def test_there_is_a_page_for_each_kind() -> None:
    assert {path.stem for path in (ROOT / "docs" / "reference").glob("*.md")} == {*KINDS, "README", "python", "recipe"}
    guide = (ROOT / "docs" / "write_a_plugin.md").read_text()
    missing = [kind for kind in KINDS if f"[{kind}](reference/{kind}.md)" not in guide]
    assert missing == [], "add rows to docs/write_a_plugin.md"


def test_a_page_tells_all_that_an_author_needs(maker: ModuleType) -> None:
    page = maker.pages()["dataset.md"]
    for words in (
        "A recipe names it in the table `[data]`",
        "### `open(split: Split) -> Pairs`, which a class must have",
        "#### `__getitem__(index: int) -> Pair`, which a class must have",
        "- `channels: int = 3`: how many channels each array has.",
        "| keys are unique | A pair is known by its key, ",
        "| `validation_count` | an integer of at least",
    ):
        assert words in page


def test_the_page_of_the_python_api_has_every_public_name(maker: ModuleType) -> None:
    pages = maker.pages()
    links = re.findall(r"\[`(\w+)`\]\((.*)#(\w+)\)", pages["python.md"].replace("), ", ")\n"))
    assert sorted(name for name, _, _ in links) == sorted(genlab.__all__)
    headings = {page: set(re.findall(r"^#+ (genlab\.\w+)$", text, re.MULTILINE)) for page, text in pages.items()}
    assert [name for name, page, _ in links if f"genlab.{name}" not in headings[page or "python.md"]] == []
    assert all(anchor == f"genlab{name.lower()}" for name, _, anchor in links)


def test_the_page_of_the_python_api_tells_what_a_function_takes_and_raises(maker: ModuleType) -> None:
    page = maker.pages()["python.md"]
    for words in (
        "    overrides: Iterable[str] = (),\n",
        "- `overrides`: ",
        "Raises:\n\n- `RunError`: ",
        "- `predict(image: NDArray[np.generic], where: str = 'image', *, size: PredictionSize = 'training', ",
    ):
        assert words in page


# What plugins may rely on


OVERRIDDEN = {"example", "definition"}
"""What of a suite a subclass writes itself; other methods of suites are not for plugins to rely on."""


def surface() -> Iterator[str]:
    """A line for each thing that plugins may use: names, members, and arguments and fields with their places."""
    for module in (genlab, genlab.testing):
        for name in module.__all__:
            value, path = getattr(module, name), f"{module.__name__}.{name}"
            yield path
            if inspect.isfunction(value):
                yield from arguments(path, value)
            elif inspect.isclass(value):
                yield from of_class(path, value)
    yield from (f"{kind.name}: {word}" for kind in KINDS.values() for word in (*kind.supplied, *kind.reserved))
    yield f"the entry points are {GROUP}"
    yield from arguments("genlab_register", genlab_register)


def of_class(path: str, cls: type) -> Iterator[str]:
    needed = getattr(cls, "__abstractmethods__", frozenset())
    if is_dataclass(cls) or issubclass(cls, tuple) or cls in (genlab.GenlabError, genlab.Pairs):
        yield from arguments(path, cls)
    for owner in (base for base in reversed(cls.__mro__) if base.__module__.startswith("genlab.")):
        for name, annotation in inspect.get_annotations(owner).items():
            is_needed = "ClassVar" in str(annotation) and not hasattr(cls, name)
            yield from () if name.startswith("_") else [f"{path}.{name}{NEEDED if is_needed else ''}"]
        for name, member in vars(owner).items():
            function = member.fget if isinstance(member, property) else member
            is_public = name in needed or not name.startswith("_")
            if not inspect.isfunction(function) or not is_public:
                continue
            if not issubclass(cls, genlab.testing.Suite) or name in OVERRIDDEN:
                yield f"{path}.{name}{NEEDED if name in needed else ''}"
                yield from arguments(f"{path}.{name}", function)


def arguments(path: str, function: Any) -> Iterator[str]:
    """An argument's name, its place, and whether it has to be given."""
    given = [entry for entry in inspect.signature(function).parameters.values() if entry.name != "self"]
    for place, entry in enumerate(given, start=1):
        is_needed = entry.default is entry.empty and entry.kind not in (entry.VAR_KEYWORD, entry.VAR_POSITIONAL)
        where = "by name" if entry.kind == entry.KEYWORD_ONLY else f"{place}"
        yield f"{path}({where}: {entry.name}){NEEDED if is_needed else ''}"


def only_adds(old: set[str], new: set[str]) -> bool:
    """Whether nothing went, and nothing is needed anew of what was there before."""
    asked_anew = (line for line in new - old if line.endswith(NEEDED))
    return old <= new and not any(owner_of(line) in old for line in asked_anew)


def owner_of(line: str) -> str:
    """What a member or an argument is of."""
    path = line.removesuffix(NEEDED)
    return path.partition("(")[0] if "(" in path else path.rpartition(".")[0]


def recorded(version: str) -> set[str]:
    return set((RECORDS / f"{version}.txt").read_text().splitlines())


def test_the_interface_is_what_its_version_says(pytestconfig: pytest.Config) -> None:
    """Until genlab's first release, `--record-interface` writes the record of version 1.0 anew.

    From then on the record of a released version stays as it is, and a change has a new version (`docs/interface.md`).
    """
    now = set(surface())
    if pytestconfig.getoption("--record-interface"):
        (RECORDS / f"{INTERFACE}.txt").write_text("\n".join(sorted(now)) + "\n")
    before = recorded(INTERFACE)
    changes = [*(f"+ {line}" for line in sorted(now - before)), *(f"- {line}" for line in sorted(before - now))]
    assert not changes, "\n".join([ADVICE, *changes])


def test_minor_versions_only_add() -> None:
    versions = sorted((tuple(map(int, path.stem.split("."))), path.stem) for path in RECORDS.glob("*.txt"))
    for ((major, _), one), ((next_major, _), other) in pairwise(versions):
        if major == next_major:
            assert only_adds(recorded(one), recorded(other))


BEFORE = {"genlab.A", "genlab.A.f", "genlab.A.f(1: x) (needed)", "genlab.f", "genlab.f(1: x) (needed)"}


@pytest.mark.parametrize(
    ("gone", "new", "is_minor"),
    [
        ((), ("genlab.B",), True),
        ((), ("genlab.B", "genlab.B.f (needed)", "genlab.B.f(1: x) (needed)"), True),
        ((), ("genlab.A.g", "genlab.A.g(1: x) (needed)"), True),
        ((), ("genlab.f(2: y)",), True),
        ((), ("genlab.A.f(2: y)",), True),
        ((), ("genlab.A.g (needed)",), False),
        ((), ("genlab.f(2: y) (needed)",), False),
        (("genlab.f(1: x) (needed)",), ("genlab.f(1: z) (needed)",), False),
        (("genlab.A",), (), False),
    ],
)
def test_what_is_minor(gone: tuple[str, ...], new: tuple[str, ...], is_minor: bool) -> None:
    assert only_adds(BEFORE, (BEFORE - {*gone}) | {*new}) == is_minor


def test_the_promise_names_the_version() -> None:
    assert f"version {INTERFACE}" in (ROOT / "docs" / "interface.md").read_text()


def test_what_is_needed_is_part_of_the_record() -> None:
    lines = set(surface())
    assert {"genlab.Metric.merge (needed)", "genlab.Metric.merge(1: other) (needed)"} <= lines
    assert {
        "genlab.Metric.higher_is_better (needed)",
        "genlab.Pair(1: key) (needed)",
        "genlab.Ended(4: signal)",
    } <= lines
    assert "genlab.testing.MetricSuite.definition(2: target) (needed)" in lines
    assert {"loss: weight", "genlab_register(1: registry) (needed)"} <= lines
