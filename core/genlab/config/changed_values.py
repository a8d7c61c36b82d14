"""Values in which two recipes differ. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from typing_extensions import override

from genlab.config.validate import dotted, shown

_ORDERED = ("augment",)
"""Tables whose order counts."""
_ORDER = " (order)"


class ChangedValue(NamedTuple):
    """A value that differs between two recipes.

    Args:
        key: in dotted form, such as `train.steps`.
        old: as TOML gives it; None where the first recipe has no such key.
        new: likewise, of the second.
    """

    key: str
    old: Any
    new: Any

    @override
    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.old)} -> {_shown(self.new)}"


def changed_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ChangedValue]:
    """Differences between two recipes' tables by key; comments, notation, and for most the order do not count."""
    before, after = dict(dotted_values(old)), dict(dotted_values(new))
    keys = dict.fromkeys([*before, *after])
    tables = {key for key in keys if any(other.startswith(f"{key}.") for other in keys)}  # empty in one of both
    changes = [ChangedValue(key, before.get(key), after.get(key)) for key in keys if key not in tables]
    # NaN is not equal to itself.
    changes = [change for change in changes if change.old != change.new and repr(change.old) != repr(change.new)]
    return [change for change in changes if not (change.key.endswith(_ORDER) and _has_other_keys(change))]


def dotted_values(tables: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """The values of tables, by dotted key; an empty table is a value, too, and the order of some tables."""
    for key, value in tables.items():
        here = f"{at}.{dotted((key,))}".removeprefix(".")
        if here in _ORDERED and isinstance(value, Mapping) and len(value) > 1:
            yield f"{here}{_ORDER}", list(value)
        if isinstance(value, Mapping) and value:
            yield from dotted_values(value, here)
        else:
            yield here, value


def _has_other_keys(change: ChangedValue) -> bool:
    """True for an order that differs because tables were added or dropped, which are changes themselves."""
    return sorted(change.old or ()) != sorted(change.new or ())


def _shown(value: Any) -> str:
    return "not set" if value is None else shown(value)
