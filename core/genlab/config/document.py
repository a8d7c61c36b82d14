"""A parsed recipe before validation: nested tables that record the source of every value."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

from genlab.config.component_name import is_other_name
from genlab.config.locations import Location, find_locations
from genlab.config.syntax_errors import syntax_fault
from genlab.config.toml import NestingError, parse_toml, value_faults
from genlab.config.validate import Keys
from genlab.errors import Fault, RecipeError
from genlab.interfaces.kinds import KINDS, Kind
from genlab.util.bounded import MIB, read_bounded

# The tables that name a component; the keys below `*` are labels, and a label is the name unless `name` is given.
COMPONENTS = {(*kind.table, "*") if kind.is_labeled else kind.table: kind for kind in KINDS.values()}


ASSIGNMENT = "--set "

_MOST = MIB
"""Maximum size of a recipe in bytes."""


@dataclass(frozen=True)
class Source:
    """A text that defines values: a recipe, or one `--set`.

    Args:
        name: name of the file, or the option.
        text: its content.
        root: the keys of the table that is treated as a document.
    """

    name: str
    text: str
    root: Keys = ()

    @property
    def is_assignment(self) -> bool:
        """True for a `--set` assignment."""
        return self.name.startswith(ASSIGNMENT)

    @cached_property
    def locations(self) -> Mapping[Keys, Location]:
        """Locations of the keys in the source's text, below its root."""
        depth = len(self.root)
        return {
            keys[depth:]: location for keys, location in find_locations(self.text).items() if keys[:depth] == self.root
        }

    def located(self, fault: Fault) -> Fault:
        """The fault with the place of its value or key, or of the nearest table above it, and a quote."""
        for length in range(len(fault.path), 0, -1):
            location = self.locations.get(fault.path[:length])
            if location is not None:
                exact = length == len(fault.path)
                location = location.value if exact and location.value and not fault.at_key else location
                return replace(fault, place=location.named(self.name), quote=location.quoted(self.text))
        return replace(fault, place=self.name)


@dataclass(frozen=True)
class Document:
    """Tables of values, and the source of each table and value.

    Args:
        values: the tables as TOML gives them.
        origins: sources by the keys of a table or value; values in arrays have their array's.
        name: the recipe's name, for faults of missing keys; empty for overrides from the command line.
    """

    values: Mapping[str, Any]
    origins: Mapping[Keys, Source]
    name: str = ""

    def over(self, base: Document) -> Document:
        """Merge this document over `base`.

        Tables merge key by key; a component's table is replaced when its name changes. `unet` and `genlab:unet` are one
        component here, and `genlab:unet` and `other:unet` are two.
        """
        return self._over(base, _renamed)

    def beside(self, other: Document) -> Document:
        """Merge with another document as if both were written together; this one's values win."""
        return self._over(other, lambda *_: False)

    def below(self, keys: Keys) -> Document:
        """Subtable as a document, whose values keep their sources."""
        depth = len(keys)
        table: Any = self.values
        for key in keys:
            table = table[key]
        origins = {
            path[depth:]: replace(source, root=(*source.root, *keys))
            for path, source in self.origins.items()
            if path[:depth] == keys
        }
        return Document(table, origins, self.name)

    def without(self, key: str) -> Document:
        """Copy without one of the top-level tables."""
        values = {name: value for name, value in self.values.items() if name != key}
        return Document(values, {keys: at for keys, at in self.origins.items() if keys[0] != key}, self.name)

    def _over(self, base: Document, starts_afresh: Callable[..., bool]) -> Document:
        values, origins = dict(base.values), dict(base.origins)
        _lay(self, (), self.values, values, origins, starts_afresh)
        return Document(values, origins, self.name or base.name)

    def origin(self, keys: Keys) -> Source | None:
        """The source of a value, or of the nearest table above it."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.origins:
                return self.origins[keys[:length]]
        return None

    def place(self, keys: Keys) -> str | None:
        """The place where a value or table was set, such as `recipe.toml:3:1`; None where it was not."""
        source = self.origins.get(keys)
        if source is None:
            return None
        location = source.locations.get(keys)
        return location.named(source.name) if location else source.name


def _lay(
    over: Document,
    at: Keys,
    table: Mapping[str, Any],
    values: dict[str, Any],
    origins: dict[Keys, Source],
    starts_afresh: Callable[..., bool],
) -> None:
    for key, value in table.items():
        keys = (*at, key)
        old = values.get(key)
        if isinstance(value, dict):
            kept = dict(old) if isinstance(old, dict) and not starts_afresh(keys, old, value) else {}
            if not kept:
                _forget(keys, old, origins)
                origins[keys] = over.origins[keys]
            _lay(over, keys, value, kept, origins, starts_afresh)
            values[key] = kept
        else:
            _forget(keys, old, origins)
            values[key] = value
            origins[keys] = over.origins[keys]


def _forget(keys: Keys, old: Any, origins: dict[Keys, Source]) -> None:
    """Remove the origins of a value that is replaced, and of those in it."""
    origins.pop(keys, None)
    if isinstance(old, dict | list):
        for key in old if isinstance(old, dict) else range(len(old)):
            _forget((*keys, key), old[key], origins)


def _renamed(keys: Keys, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """True if a table belongs to a component that becomes another one."""
    pattern = next((pattern for pattern in COMPONENTS if _begins(keys, pattern)), None)
    if pattern is None or "name" not in new:
        return False
    kind = COMPONENTS[pattern]
    before = old.get("name", _unnamed(kind, keys) if len(keys) == len(pattern) else None)
    return before is not None and is_other_name(before, new["name"])


def _unnamed(kind: Kind, keys: Keys) -> str | int | None:
    """The component of a table without a `name`, if there is one."""
    return keys[-1] if kind.is_labeled and kind.is_named_by_label else kind.default or None


def _begins(keys: Keys, pattern: tuple[str, ...]) -> bool:
    return len(keys) >= len(pattern) and all(part in ("*", key) for part, key in zip(pattern, keys, strict=False))


def read_document(text: str, name: str) -> Document:
    """Parse TOML; `RecipeError` points at the syntax error."""
    source = Source(name, text)
    try:
        values = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([syntax_fault(str(error), name, text)]) from error
    except NestingError as error:
        raise RecipeError([Fault((), "tables, arrays or keys are nested too deeply", place=name)]) from error
    except ValueError as error:
        raise RecipeError([Fault((), f"cannot be read: {error}", place=name)]) from error
    return from_source(values, source, name)


def from_source(values: Mapping[str, Any], source: Source, name: str = "") -> Document:
    """A document whose tables and values all come from one source; `RecipeError` for values that no setting takes."""
    if faults := value_faults(values):
        raise RecipeError([source.located(fault) for fault in faults])
    return Document(values, dict.fromkeys(_paths(values, ()), source), name)


def _paths(values: Mapping[str, Any], at: Keys) -> Iterable[Keys]:
    for key, value in values.items():
        yield (*at, key)
        if isinstance(value, dict):
            yield from _paths(value, (*at, key))


def read_file(path: Path) -> Document:
    """Read one recipe file, without the recipe that it extends."""
    try:
        # Some editors write a byte order mark, which TOML does not allow.
        text = TextIOWrapper(BytesIO(read_bounded(path, _MOST)), encoding="utf-8-sig").read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise RecipeError([Fault((), f"cannot be read: {reason}", place=_short(path))]) from error
    return read_document(text, _short(path))


def _short(path: Path) -> str:
    """The path relative to the working directory where possible."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
