"""Overrides: `--set KEY=VALUE` on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genlab.config.document import ASSIGNMENT, Document, Source, from_source
from genlab.config.toml import parse_toml
from genlab.errors import Fault, RecipeError
from genlab.util.files import is_text


def read_assignments(assignments: Iterable[str]) -> Document:
    """Parse `KEY=VALUE` overrides into one document; of contradicting ones the last wins."""
    result = Document({}, {})
    for assignment in assignments:
        result = _read(assignment).beside(result)
    return result


def _read(assignment: str) -> Document:
    key, equals, value = assignment.partition("=")
    source = Source(f"{ASSIGNMENT}{assignment}", "")
    if not is_text(assignment):
        raise RecipeError([Fault((), "is not UTF-8 text", place=f"--set {assignment!a}")])
    if not equals or not key.strip():
        raise RecipeError([Fault((), "expected KEY=VALUE, such as train.steps=200", place=source.name)])
    keys = _keys(key)
    if keys is None:
        what = f"invalid key `{key}`; expected one such as train.steps"
        hint = "Set a list as a whole, such as data.sources=[...]." if "[" in key else None
        raise RecipeError([Fault((), what, hint, place=source.name)])
    values: Any = _value(value)
    for part in reversed(keys):
        values = {part: values}
    return from_source(values, source)


def _keys(key: str) -> list[str] | None:
    """The parts of a dotted key; None if it is invalid."""
    try:
        table: Any = None if "\n" in key else parse_toml(f"{key} = 0")
    except ValueError:
        return None
    keys: list[str] = []
    while isinstance(table, dict) and len(table) == 1:
        ((part, table),) = table.items()
        keys.append(part)
    return keys if table == 0 else None


def _value(value: str) -> Any:
    """Parse a value as TOML, or take it as a string if that fails."""
    try:
        table = parse_toml(f"value = {value}")
    except ValueError:
        return value.strip()
    return table["value"] if len(table) == 1 else value.strip()
