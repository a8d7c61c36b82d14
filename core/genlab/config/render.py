"""A resolved recipe as text, with the origin of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genlab.config.document import Document
from genlab.config.validate import Keys, bare, inline


def listing(tables: Mapping[str, Any], document: Document) -> str:
    """TOML with a comment after each value that says where it was set; values without one are defaults."""
    rows = list(_rows(tables, (), document))
    width = min(max((len(text) for text, origin in rows if origin), default=0), 48)
    return "\n".join(f"{text:<{width}}  # {origin}" if origin else text for text, origin in rows)


def _rows(table: Mapping[str, Any], at: Keys, document: Document) -> Iterator[tuple[str, str | None]]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    for key, value in table.items():
        if key not in inner:
            yield f"{bare(key)} = {inline(value)}", _origin((*at, key), document)
    for key, value in inner.items():
        holds_only_tables = value and all(isinstance(item, dict) for item in value.values())
        if not holds_only_tables:
            yield "", None
            yield f"[{'.'.join(bare(str(part)) for part in (*at, key))}]", None
        yield from _rows(value, (*at, key), document)


def _origin(keys: Keys, document: Document) -> str | None:
    source = document.origins.get(keys)
    if source is None:
        return None
    location = source.locations.get(keys)
    return location.named(source.name) if location else source.name
