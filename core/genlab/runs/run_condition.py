"""Conditions that choose runs, such as `validation/l1 < 0.2`. Importing this imports no torch."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from genlab.config.validate import nearest
from genlab.errors import RunError

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_FORM = re.compile(r"\s*(?P<name>[^<>=!\s]+)\s*(?P<sign><=|>=|!=|<|>|=)\s*(?P<value>.*?)\s*")


class RunCondition(NamedTuple):
    """Comparison of a metric, or of a value of the recipe, with a number or a word.

    Args:
        text: as it was given.
        name: of the metric, such as `validation/l1`, or the dotted key of the value, such as `generator.levels`.
        sign: one of <, <=, >, >=, = and !=.
        value: what it is compared with; words only by = and !=.
    """

    text: str
    name: str
    sign: str
    value: float | str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """True for a run with such a value, by name; one without it, or with a value of another kind, is left out."""
        found = values.get(self.name)
        if isinstance(found, bool):
            found = str(found).lower()
        if isinstance(found, str) and self.name.rpartition(".")[2] == "name" and ":" not in str(self.value):
            found = found.rpartition(":")[2]  # of a component, without its package
        kind = str if isinstance(self.value, str) else int | float
        return isinstance(found, kind) and _COMPARISONS[self.sign](found, self.value)


def parse_condition(text: str) -> RunCondition:
    """Read a condition; `RunError` if it is none."""
    parts = _FORM.fullmatch(text)
    value = _value(parts["value"]) if parts else ""
    is_unordered = isinstance(value, str) and parts is not None and parts["sign"] not in ("=", "!=")
    if parts is None or value == "" or is_unordered:
        what = "expected a name, a comparison (<, <=, >, >=, =, !=) and a number; words compare by = and != only"
        raise RunError(what, where=f'"{text}"', hint='Such as "validation/l1 < 0.2", or "generator.name = unet".')
    return RunCondition(text, parts["name"], parts["sign"], value)


def require_known(name: str, where: str, known: Iterable[Iterable[str]]) -> None:
    """Raise a `RunError` if no run has a metric or a value of this name.

    Args:
        name: the name.
        where: the option that it is of, for the error.
        known: the names of each run's.
    """
    names = sorted({each for names in known for each in names})
    if names and name not in names:
        metrics = ", ".join(each for each in names if "/" in each)
        hint = nearest(name, names) or (f"Their metrics: {metrics}." if metrics else None)
        raise RunError(f"none of the runs has a metric or a setting `{name}`", where=where, hint=hint)


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip("\"'")
