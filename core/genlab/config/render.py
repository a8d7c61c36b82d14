"""A resolved recipe as text, with the origin of every value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from genlab.config.validate import Keys, bare, inline


def listing(tables: Mapping[str, Any], origin: Callable[[Keys], str | None]) -> str:
    """TOML with a comment after each value that says where it was set; values without one are defaults.

    Args:
        tables: the recipe.
        origin: gives the place where the value of some keys was set, or None.
    """
    rows = list(_rows(tables, (), origin))
    width = min(max((len(text) for text, origin in rows if origin), default=0), 48)
    return "\n".join(f"{text:<{width}}  # {origin}" if origin else text for text, origin in rows)


def _rows(table: Mapping[str, Any], at: Keys, origin: Callable[[Keys], str | None]) -> Iterator[tuple[str, str | None]]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    for key, value in table.items():
        if key not in inner:
            yield f"{bare(key)} = {inline(value)}", origin((*at, key))
    for key, value in inner.items():
        holds_only_tables = value and all(isinstance(item, dict) for item in value.values())
        if not holds_only_tables:
            yield "", None
            yield f"[{'.'.join(bare(str(part)) for part in (*at, key))}]", None
        yield from _rows(value, (*at, key), origin)
