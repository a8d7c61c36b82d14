"""Recipes of runs from before, in the form that recipes have today. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Values = dict[str, Any]


def upgraded(values: Mapping[str, Any]) -> Values:
    """A run's recipe in today's form; one that has it already is given back as it is.

    Each rule stays for as long as runs from before it are read.
    """
    found = dict(values)
    for rule in _RULES:
        found = rule(found)
    return found


def _constant_rate(values: Values) -> Values:
    """A constant schedule had the settings of the others, which it did not use."""
    schedule = values.get("schedule", {})
    if schedule.get("name") != "constant":
        return values
    return values | {"schedule": {key: value for key, value in schedule.items() if key not in ("start", "end")}}


def _with_augmentations(values: Values) -> Values:
    """`input.jitter` and `input.flip` were settings, and are augmentations that have the same draws."""
    settings = dict(values.get("input", {}))
    if not settings.keys() & {"jitter", "flip"}:
        return values
    jitter, flip = settings.pop("jitter", 0), settings.pop("flip", False)
    found: Values = {"jitter": {"name": "genlab:jitter", "amount": jitter}} if jitter else {}
    found |= {"flip": {"name": "genlab:flip"}} if flip else {}
    return {**values, "input": settings, **({"augment": found} if found else {})}


def _packages(values: Values) -> Values:
    """Optimizers and schedules were the framework's, so their names had no package."""
    named = {
        table: values[table] | {"name": f"genlab:{values[table]['name']}"}
        for table, names in _OF_THE_FRAMEWORK.items()
        if values.get(table, {}).get("name") in names
    }
    return values | named


_OF_THE_FRAMEWORK = {"optimizer": ("adam", "adamw"), "schedule": ("constant", "linear", "cosine")}

_RULES: tuple[Callable[[Values], Values], ...] = (_constant_rate, _packages, _with_augmentations)
