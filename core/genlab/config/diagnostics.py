"""Faults, each with the place in the recipe where it was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from genlab.config.document import Document
from genlab.errors import Fault, RecipeError


def recipe_error(faults: Iterable[Fault], document: Document) -> RecipeError:
    """One error of all faults, in the order in which they stand in the recipe; those that have a place keep it."""
    return RecipeError(sorted((_located(fault, document) for fault in faults), key=_order))


def _located(fault: Fault, document: Document) -> Fault:
    if fault.place is not None:
        return fault
    source = document.origin(fault.path)
    if source is None:
        return replace(fault, place=document.name or None)
    for length in range(len(fault.path), 0, -1):
        place = source.places.get(fault.path[:length])
        if place is not None:
            exact = length == len(fault.path)
            place = place.value if exact and place.value and not fault.at_key else place
            return replace(fault, place=place.named(source.name), quote=place.quoted(source.text))
    return replace(fault, place=source.name)


def _order(fault: Fault) -> tuple[str, int, int]:
    name, *numbers = (fault.place or "").rsplit(":", 2)
    line, column = (int(number) for number in numbers) if len(numbers) == 2 and numbers[0].isdigit() else (0, 0)
    return name, line, column
