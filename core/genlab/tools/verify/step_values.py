"""Values of steps: those that a run recorded in its metrics.jsonl, and those of the same steps trained again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from genlab.interfaces.listener import StepMetrics
from genlab.tools.verify.metrics_file import read_records

StepValues = dict[tuple[int, str], float]
"""Values by step and name, in the order in which they came; NaN for what is not finite."""

_GROUPS = {
    "losses": "loss",
    "weight_norms": "weight norm",
    "gradient_norms": "gradient norm",
    "learning_rates": "learning rate",
}
_SENSITIVE = ("gradient norm ", "gap/")
_VALIDATION = ("validation/", "train/", "gap/")
_LEAST = 1e-6
"""Values below this count as this where a difference is taken relative to them."""


class ValueDifference(NamedTuple):
    """A value that differs.

    Args:
        step: where.
        name: which.
        recorded: by the run.
        again: when the step was trained again; None if there was no such value.
        file: of the run, which has the recorded one.
    """

    step: int
    name: str
    recorded: float
    again: float | None
    file: str

    @property
    def relative(self) -> float:
        """The difference relative to the larger of both; infinite where either is missing or not finite."""
        if self.again is None or not (math.isfinite(self.recorded) and math.isfinite(self.again)):
            return float("inf")
        return abs(self.recorded - self.again) / max(abs(self.recorded), abs(self.again), _LEAST)

    @property
    def is_sensitive(self) -> bool:
        """True for numbers that rounding changes most: gradient norms, and gaps between two metrics."""
        return self.name.startswith(_SENSITIVE) and math.isfinite(self.relative)

    def words(self) -> str:
        """The difference for people."""
        again = "not computed" if self.again is None else repr(self.again)
        return f"{self.name} at step {self.step:,} is {self.recorded!r} in {self.file}, and {again} when computed again"


def values_of_step(step: int, values: StepMetrics) -> StepValues:
    """Values of a step that was trained again."""
    return {(step, name): value for name, value in _named(vars(values))}


def recorded_values(file: Path, after: int, last: int) -> StepValues:
    """Values that a run recorded of the steps after `after` up to `last`; none if there is no file.

    Raises:
        RunError: the file cannot be read.
    """
    found: StepValues = {}
    for record in read_records(file):
        if after < record["step"] <= last:
            with suppress(TypeError, KeyError, AttributeError):
                found |= {(record["step"], name): value for name, value in _of_record(record)}
    return found


def value_differences(recorded: StepValues, again: StepValues, file: str) -> Iterator[ValueDifference]:
    """The recorded values that are others when computed again, the first one first, without those of `unrepeated`."""
    left_out = set(unrepeated(recorded, again))
    for (step, name), value in sorted(recorded.items(), key=lambda item: item[0][0]):
        other = again.get((step, name))
        is_same = other == value or (other is not None and math.isnan(value) and not math.isfinite(other))
        if not is_same and (step, name) not in left_out:
            yield ValueDifference(step, name, value, other, file)


def unrepeated(recorded: StepValues, again: StepValues) -> list[tuple[int, str]]:
    """Recorded metrics of steps at which no validation was due when they were trained again.

    A listener that ends a training early has it validated, and trainings are repeated without listeners.
    """
    validated = {step for step, name in again if name.startswith(_VALIDATION)}
    return [(step, name) for step, name in recorded if name.startswith(_VALIDATION) and step not in validated]


def unrecorded(recorded: StepValues, again: StepValues) -> list[tuple[int, str]]:
    """Values of steps trained again that the run has no record of, although it has others of these steps."""
    return [key for key in again if key not in recorded] if recorded else []


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
        if value is None:
            yield f"{prefix}{name}", math.nan
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", value
