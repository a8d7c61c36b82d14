"""Faults, each with its location in the recipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from genlab.config.document import Document
from genlab.errors import Fault, RecipeError


def recipe_error(faults: Iterable[Fault], document: Document) -> RecipeError:
    """Combine faults into one error, in the order of the recipe; those that have a location keep it."""
    return RecipeError(sorted((_located(fault, document) for fault in faults), key=_order))


def _located(fault: Fault, document: Document) -> Fault:
    if fault.place is not None:
        return fault
    source = document.origin(fault.path)
    if source is None:
        return replace(fault, place=document.name or None)
    for length in range(len(fault.path), 0, -1):
        location = source.locations.get(fault.path[:length])
        if location is not None:
            exact = length == len(fault.path)
            location = location.value if exact and location.value and not fault.at_key else location
            return replace(fault, place=location.named(source.name), quote=location.quoted(source.text))
    return replace(fault, place=source.name)


def _order(fault: Fault) -> tuple[str, int, int]:
    name, *numbers = (fault.place or "").rsplit(":", 2)
    line, column = (int(number) for number in numbers) if len(numbers) == 2 and numbers[0].isdigit() else (0, 0)
    return name, line, column
