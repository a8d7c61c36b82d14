"""Text of TOML as values, within the limits of recipes: nesting, 64-bit integers, no dates."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from genlab.config.validate import Keys, dotted
from genlab.errors import Fault

_DEEPEST = 64
_INTEGERS = range(-(2**63), 2**63)


class NestingError(ValueError):
    """Tables, arrays or keys that are nested too deeply."""


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        NestingError: deeper than any recipe is; tomllib would take minutes and gigabytes for a key of 50,000 dots.
        ValueError: not valid TOML.
    """
    if _is_deep(syntax_tree(text)):
        raise NestingError
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise NestingError from error


def syntax_tree(text: str) -> Node:
    """Concrete syntax tree of TOML, of text that is not valid too."""
    return Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node


def value_faults(values: Mapping[str, Any]) -> list[Fault]:
    """Faults of values that no setting takes: dates, times, and integers that TOML does not guarantee."""
    return [fault for keys, value in _leaves(values, ()) if (fault := _fault(keys, value))]


def _leaves(value: Any, at: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*at, key))
    else:
        yield at, value


def _fault(keys: Keys, value: Any) -> Fault | None:
    if isinstance(value, date | time):  # a datetime is a date
        return Fault(keys, f"`{dotted(keys)}`: no setting is a date or time, got {value}", f'For text: "{value}"')
    if isinstance(value, int) and value not in _INTEGERS:
        limits = f"from {_INTEGERS[0]} to {_INTEGERS[-1]}"
        return Fault(keys, f"`{dotted(keys)}`: integers of TOML are {limits}, got {value}")
    return None


def _is_deep(root: Node) -> bool:
    cursor = root.walk()
    while cursor.depth <= _DEEPEST:
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return False
    return True
