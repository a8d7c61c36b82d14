"""A recipe before it is checked: nested tables, each value with the place it came from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genlab.errors import Fault, RecipeError
from genlab.recipe.places import Place, find_places
from genlab.tables import Keys

# The tables that name a component; the keys below `*` are labels, and a label is the name unless `name` is given.
COMPONENTS: tuple[tuple[str, ...], ...] = (
    ("data",),
    ("method",),
    ("generator",),
    ("discriminator",),
    ("losses", "*"),
    ("listeners", "*"),
    ("evaluate", "metrics", "*"),
)


@dataclass(frozen=True)
class Source:
    """A text that values were written in: a recipe, or one `--set`."""

    name: str
    text: str

    @cached_property
    def places(self) -> Mapping[Keys, Place]:
        return find_places(self.text)


@dataclass(frozen=True)
class Document:
    """Tables of values, and the source of each table and value."""

    values: Mapping[str, Any]
    origins: Mapping[Keys, Source]

    def over(self, base: Document) -> Document:
        """This document's values laid over those of `base`.

        Tables merge key by key; a component's table starts afresh when its name changes.
        """
        values, origins = dict(base.values), dict(base.origins)
        _lay(self.values, (), values, origins, self.origins)
        return Document(values, origins)

    def origin(self, keys: Keys) -> Source | None:
        """The source of a value, or of the nearest table above it."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.origins:
                return self.origins[keys[:length]]
        return None


def _lay(
    over: Mapping[str, Any],
    at: Keys,
    values: dict[str, Any],
    origins: dict[Keys, Source],
    new_origins: Mapping[Keys, Source],
) -> None:
    for key, value in over.items():
        keys = (*at, key)
        if isinstance(value, dict):
            table = _kept(values.get(key), keys, value)
            if not table:
                _forget(keys, origins)
                origins[keys] = new_origins[keys]
            _lay(value, keys, table, origins, new_origins)
            values[key] = table
        else:
            _forget(keys, origins)
            values[key] = value
            origins[keys] = new_origins[keys]


def _kept(old: Any, keys: Keys, new: Mapping[str, Any]) -> dict[str, Any]:
    """What of an old table stays under a new one."""
    return dict(old) if isinstance(old, dict) and not _renamed(keys, old, new) else {}


def _forget(keys: Keys, origins: dict[Keys, Source]) -> None:
    for stale in [known for known in origins if known[: len(keys)] == keys]:
        del origins[stale]


def _matches(pattern: tuple[str, ...], keys: Keys) -> bool:
    return all(part in ("*", key) for part, key in zip(pattern, keys, strict=True))


def _renamed(keys: Keys, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    pattern = next((p for p in COMPONENTS if len(p) == len(keys) and _matches(p, keys)), None)
    if pattern is None or "name" not in new:
        return False
    label = keys[-1] if pattern[-1] == "*" else None
    return new["name"] != old.get("name", label)


def read_document(text: str, name: str) -> Document:
    """Parse TOML; `RecipeError` points at what is no TOML."""
    source = Source(name, text)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([_syntax_fault(error, source)]) from error
    return Document(values, dict.fromkeys(_paths(values, ()), source))


def _paths(values: Mapping[str, Any], at: Keys) -> Iterable[Keys]:
    for key, value in values.items():
        yield (*at, key)
        if isinstance(value, dict):
            yield from _paths(value, (*at, key))


def _syntax_fault(error: tomllib.TOMLDecodeError, source: Source) -> Fault:
    """tomllib says `message (at line 3, column 5)`, or `(at end of document)`."""
    what, _, where = str(error).rpartition(" (at ")
    numbers = [int(word) for word in where.replace(",", " ").replace(")", " ").split() if word.isdigit()]
    last = len(source.text.splitlines()) or 1
    line, column = numbers if len(numbers) == 2 else (last, 1)
    place = Place(line, column, column + 1)
    return Fault((), what, place=place.named(source.name), quote=place.quoted(source.text))


def read_file(path: Path) -> Document:
    """A recipe's file as it is, without what it extends."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise RecipeError([Fault((), f"cannot be read: {reason}", place=_short(path))]) from error
    return read_document(text, _short(path))


def _short(path: Path) -> str:
    """The path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_settings(assignments: Iterable[str]) -> Document:
    """`KEY=VALUE` texts as one document; a value that is no TOML is taken as text."""
    result = Document({}, {})
    for assignment in assignments:
        result = _read_setting(assignment).over(result)
    return result


def _read_setting(assignment: str) -> Document:
    key, equals, value = assignment.partition("=")
    name = f"--set {assignment}"
    if not equals or not key.strip():
        raise RecipeError([Fault((), "is not of the form KEY=VALUE, such as train.steps=200", place=name)])
    try:
        values = tomllib.loads(f"{key} = {value}")
    except tomllib.TOMLDecodeError:
        try:
            values = tomllib.loads(f"{key} = {_as_text(value.strip())}")
        except tomllib.TOMLDecodeError:
            raise RecipeError([Fault((), "has a key that is no TOML key, such as train.steps", place=name)]) from None
    source = Source(name, "")
    return Document(values, dict.fromkeys(_paths(values, ()), source))


def _as_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
