"""Names and docstrings of the whole source: one word for one thing, and docstrings that begin with what they name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import genlab

ROOT = Path(__file__).parents[1]
SOURCES = [path for folder in ("core", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))]

COMMON = {
    "L1",  # a loss and a metric, as papers call both
    "convolve",
    "convolve_transposed",  # each of the fast convolutions has them
    "read_header",
    "read_pixels",  # each reader of a format has them
    "genlab_interface",
    "genlab_register",  # the version and the hook of every plugin
    "main",  # of every process
}
"""Public names that several modules may have."""


BEGINNINGS = ("What", "How", "Whether", "Where", "Which", "When", "Why", "Of", "By")
"""Words that a docstring does not begin with: clauses name nothing."""


def public_names(path: Path) -> Iterator[str]:
    """Classes and functions of a module, and its aliases of types."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not node.targets[0].id.isupper()
        ):
            yield node.targets[0].id


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'name', '')}", text


def told(advice: str, found: list[str]) -> str:
    return "\n- ".join([f"{advice}:", *found])


def test_public_names_are_unique() -> None:
    """But for the verbs of the command line, which are called as the functions that they call."""
    modules = [path for path in SOURCES if path.parent.name != "cli"]
    counts = Counter(name for path in modules for name in public_names(path) if not name.startswith("_"))
    repeated = sorted({name for name, count in counts.items() if count > 1} - COMMON)
    found = [
        f"{name} in {path.relative_to(ROOT)}" for name in repeated for path in modules if name in public_names(path)
    ]
    assert not found, told("give each a name of its own, or a leading underscore if only its module uses it", found)


def test_docstrings_begin_with_what_they_name() -> None:
    found = [where for path in SOURCES for where, text in docstrings(path) if text.split()[0] in BEGINNINGS]
    advice = f"begin each docstring with an imperative or a noun phrase, not with one of {', '.join(BEGINNINGS)}"
    assert not found, told(advice, found)


def test_each_command_calls_a_public_function() -> None:
    """But for `gen board`, which becomes TensorBoard."""
    commands = {path.stem: path.read_text() for path in (ROOT / "core/genlab/cli").glob("*.py")}
    commands = {name: text for name, text in commands.items() if f"    {name},\n" in commands["app"] or name == "run"}
    called = {name: re.findall(r"\bgenlab\.(\w+)\(", text) for name, text in commands.items()}
    silent = sorted({name for name, found in called.items() if not found} - {"board"})
    assert silent == [], "let the commands of these modules of genlab/cli call a function `genlab.NAME(...)`"
    unknown = sorted({function for found in called.values() for function in found} - set(genlab.__all__))
    assert unknown == [], "commands call these; list them in core/genlab/__init__.pyi"
