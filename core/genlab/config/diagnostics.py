"""Faults, each with its location in the recipe."""

from __future__ import annotations

import re
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
    return replace(fault, place=document.name or None) if source is None else source.located(fault)


def _order(fault: Fault) -> tuple[str, int, int]:
    found = re.fullmatch(r"(.*):([0-9]{1,9}):([0-9]{1,9})", fault.place or "", re.DOTALL)
    return (found[1], int(found[2]), int(found[3])) if found else (fault.place or "", 0, 0)
