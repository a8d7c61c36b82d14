"""Tables of a comparison, as text. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from genlab.config.validate import shown
from genlab.tools.intervals import STUDENT_MARK, STUDENT_NOTE

if TYPE_CHECKING:
    from genlab.tools.compare.comparison import Comparison, ScoreDifference

RUN_COLUMNS = ("run", "recipe", "trained", "images")
SCORE_COLUMNS = ("validation", "run", "value", "difference", "95 % interval", "n", "verdict")

METHOD = (
    "Differences are from the first run, on the same images. An interval tells how far a difference depends on which"
    " images were measured, not what another seed's training would give: an ablation does."
)


def run_rows(found: Comparison) -> list[tuple[str, ...]]:
    """A row for each run."""
    return [(run.name, run.manifest.title, run.label, f"{run.images:,}") for run in found.runs]


def changed_rows(found: Comparison) -> list[tuple[str, ...]]:
    """A row for each value of the recipes that differs, with that of each run."""
    return [(key, *map(_value, values)) for key, values in found.changed.items()]


def score_rows(found: Comparison, metric: str) -> list[tuple[str, ...]]:
    """A row for each run that has a score; the first, with the metric's name, is what the others are compared with."""
    differences = found.differences(metric)
    return [
        (
            "" if index else metric.removeprefix("validation/"),
            run.name,
            figure(run.scores.get(metric)),
            *_cells(differences.get(index)),
        )
        for index, run in enumerate(found.runs)
        if metric in run.scores or index == 0
    ]


def directions(found: Comparison) -> dict[str, str]:
    """The better direction of each metric, where it is known."""
    known = {metric: better for run in found.runs for metric, better in run.higher_is_better.items()}
    return {
        metric: "higher is better" if known[metric] else "lower is better"
        for metric in found.metrics
        if metric in known
    }


def method(found: Comparison, rows: Iterable[tuple[str, ...]]) -> str:
    """Explanation of the intervals in the rows of scores."""
    others = len(found.runs) - 1
    several = (
        f" With Bonferroni's correction for {others} runs, all of a metric's intervals hold at once."
        if others > 1
        else ""
    )
    has_student = any(STUDENT_MARK in cell for row in rows for cell in row)
    student = f" {STUDENT_NOTE}" if has_student else ""
    return f"{METHOD}{several}{student}"


def figure(value: float | None) -> str:
    """A score with four digits."""
    return "-" if value is None else f"{value:.4g}" if math.isfinite(value) else "not finite"


def _cells(difference: ScoreDifference | str | None) -> Sequence[str]:
    if difference is None:
        return ("", "", "", "")
    if isinstance(difference, str):
        return ("-", "-", "-", f"not compared: {difference}")
    amount = f"{difference.mean:+.4g}" if math.isfinite(difference.mean) else "-"
    interval = "-"
    if difference.low is not None and difference.high is not None:
        mark = f" {STUDENT_MARK}" if difference.method == "t" else ""
        interval = f"{difference.low:+.4g} to {difference.high:+.4g}{mark}"
    return (amount, interval, f"{difference.n:,}", difference.verdict)


def _value(value: Any) -> str:
    return "not set" if value is None else shown(value)
