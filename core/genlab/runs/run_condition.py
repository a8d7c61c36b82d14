"""Conditions that choose runs, such as `validation/l1 < 0.2`. Importing this imports no torch."""

from __future__ import annotations

import math
import operator
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from genlab.config.validate import nearest
from genlab.errors import RunError

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EQUALITIES = ("=", "==", "!=")
_PYTHON = {"True": "true", "False": "false"}
_FORM = re.compile(r"\s*(?P<name>[^<>=!\s]+)\s*(?P<sign><=|>=|!=|==|<|>|=)\s*(?P<value>.*?)\s*")


class RunCondition(NamedTuple):
    """Comparison of a metric, or of a value of the recipe, with a number or a word.

    Args:
        text: as it was given.
        name: of the metric, such as `validation/l1`, or the dotted key of the value, such as `generator.levels`.
        sign: one of <, <=, >, >=, = and !=.
        value: what it is compared with; all but numbers only by = and !=.
        written: the value as it was given.
    """

    text: str
    name: str
    sign: str
    value: object
    written: str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """True for a run with such a value, by name; one without it, or with a value of another kind, is left out."""
        found = values.get(self.name)
        if found is None:
            return False
        if isinstance(found, str) and self.name.rpartition(".")[2] == "name" and ":" not in str(self.value):
            found = found.rpartition(":")[2]  # of a component, without its package
        if self.sign in ("=", "!="):
            return self._is_equal(found) == (self.sign == "=")
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return is_number and _COMPARISONS[self.sign](found, self.value)

    def _is_equal(self, found: object) -> bool:
        """True for the value that was written, or a text that was written as it is."""
        if isinstance(found, str):
            return found == (self.value if isinstance(self.value, str) else self.written)
        if isinstance(found, bool) or isinstance(self.value, bool):
            return found is self.value
        return found == self.value


def parse_condition(text: str) -> RunCondition:
    """Read a condition; `RunError` if it is none."""
    parts = _FORM.fullmatch(text)
    value = _value(parts["value"]) if parts else ""
    is_ordered = isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    if parts is None or value == "" or (parts["sign"] not in _EQUALITIES and not is_ordered):
        what = "expected a name, a comparison (<, <=, >, >=, =, !=) and a number; other values compare by = and != only"
        raise RunError(what, where=f'"{text}"', hint='Such as "validation/l1 < 0.2", or "generator.name = unet".')
    sign = "=" if parts["sign"] == "==" else parts["sign"]
    return RunCondition(text, parts["name"], sign, value, parts["value"])


def require_known(name: str, where: str, known: Collection[str]) -> None:
    """Raise a `RunError` if no run has a metric or a value of this name.

    Args:
        name: the name.
        where: the option that it is of, for the error.
        known: the names that runs have; without any, none is refused.
    """
    if known and name not in known:
        names = sorted(known)
        metrics = ", ".join(each for each in names if "/" in each)
        hint = nearest(name, names) or (f"Their metrics: {metrics}." if metrics else None)
        raise RunError(f"none of the runs has a metric or a setting `{name}`", where=where, hint=hint)


def _value(text: str) -> object:
    """A value as a recipe has it; what is none is a text, and Python's words for true and false are theirs."""
    try:
        return tomllib.loads(f"value = {_PYTHON.get(text, text)}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip("\"'")
