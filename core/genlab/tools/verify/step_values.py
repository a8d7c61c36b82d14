"""Values of steps: those that a run recorded in its metrics.jsonl, and those of the same steps trained again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from genlab.interfaces.listener import StepMetrics
from genlab.util.bounded import require_regular

StepValues = dict[tuple[int, str], float]
"""Values by step and name, in the order in which they came."""

GRADIENT_NORM = "gradient norm"
_GROUPS = {
    "losses": "loss",
    "weight_norms": "weight norm",
    "gradient_norms": GRADIENT_NORM,
    "learning_rates": "learning rate",
}
_LEAST = 1e-6
"""Values below this count as this where a difference is taken relative to them."""


class ValueDifference(NamedTuple):
    """A value that differs.

    Args:
        step: where.
        name: which.
        recorded: by the run.
        again: when the step was trained again; None if there was no such value.
    """

    step: int
    name: str
    recorded: float
    again: float | None

    @property
    def relative(self) -> float:
        """The difference relative to the larger of both."""
        if self.again is None:
            return float("inf")
        return abs(self.recorded - self.again) / max(abs(self.recorded), abs(self.again), _LEAST)

    def words(self) -> str:
        """The difference for people."""
        again = "not computed" if self.again is None else repr(self.again)
        return f"{self.name} at step {self.step:,} is {self.recorded!r} in metrics.jsonl, and {again} trained again"


def values_of_step(step: int, values: StepMetrics) -> StepValues:
    """Values of a step that was trained again."""
    groups = {name: getattr(values, name) for name in _GROUPS}
    return {(step, name): value for name, value in _named(groups)}


def recorded_values(file: Path, after: int, last: int) -> StepValues:
    """Values that a run recorded of the steps after `after` up to `last`; `OSError` if the file cannot be read.

    Lines that are not whole are left out, as a killed process leaves them.
    """
    require_regular(file)
    found: StepValues = {}
    with file.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, TypeError, KeyError, AttributeError):
                record = json.loads(line)
                step = record["step"]
                if after < step <= last:
                    found |= {(step, name): value for name, value in _of_record(record)}
    return found


def value_differences(recorded: StepValues, again: StepValues) -> Iterator[ValueDifference]:
    """The recorded values that are others when the steps are trained again, the first one first."""
    for (step, name), value in sorted(recorded.items(), key=lambda item: item[0][0]):
        other = again.get((step, name))
        if other != value:
            yield ValueDifference(step, name, value, other)


def _of_record(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if record["event"] == "step":
        yield from _named(record)
    elif record["event"] == "validation":
        yield from _numbers("", record["metrics"])


def _named(groups: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for group, word in _GROUPS.items():
        yield from _numbers(f"{word} ", groups.get(group, {}))


def _numbers(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, int | float):
            yield f"{prefix}{name}", value
