"""Result of an evaluation. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from genlab.interfaces.dataset import Split

LEVEL = 0.95
"""Confidence of the intervals."""

IntervalMethod = Literal["bootstrap", "t", "metric"]


@dataclass(frozen=True)
class EvaluatedScore:
    """A score, and what tells how good it is.

    Args:
        name: the metric's label, or `label/score`.
        value: over all images.
        n: number of images.
        low: lower end of its 95 % interval over the choice of images; None where there is none.
        high: its upper end.
        method: how the interval was computed: `bootstrap`, `t` (Student's, of fewer than 100 images), or `metric`, by
            the metric itself.
        nothing: what a prediction that knows nothing of its condition gets, the mean of the training's targets; None if
            the training data are not available.
        real: what real pictures get, where that says something: the targets' own score of a judge, and for metrics
            that compare sets the targets against as many training targets.
        higher_is_better: the better direction.
    """

    name: str
    value: float
    n: int
    low: float | None
    high: float | None
    method: IntervalMethod | None
    nothing: float | None
    real: float | None
    higher_is_better: bool

    @property
    def is_no_better_than_nothing(self) -> bool:
        """True if the mean training target as every prediction gets as good a score, or a better one."""
        if self.nothing is None or math.isnan(self.value):
            return False
        return self.value <= self.nothing if self.higher_is_better else self.value >= self.nothing


@dataclass(frozen=True)
class Evaluation:
    """Scores of a run on one split.

    Args:
        run: the run's folder.
        run_id: the run's id.
        step: after how many steps its networks were saved.
        split: the split that was measured.
        data: one line on where it is.
        fingerprint: hash of its content.
        pairs: how many pairs were measured; without pairs, how many images.
        metrics: each metric's component and settings, by its label, such as the network whose features are compared.
        versions: of the libraries.
        created: the time.
        scores: in the order of the recipe.
        per_image: of scores that are means over images, each image's value by its key.
        shared: keys of measured pairs that are equal, pixel by pixel, to pairs that the run trains or validates on.
        notes: what to know about the figures, in sentences.
        folder: where the report is.
    """

    run: Path
    run_id: str
    step: int
    split: Split
    data: str
    fingerprint: str
    pairs: int
    metrics: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    created: datetime
    scores: Sequence[EvaluatedScore]
    per_image: Mapping[str, Mapping[str, float]]
    shared: Sequence[str]
    notes: Sequence[str]
    folder: Path

    def as_json(self) -> dict[str, Any]:
        """Everything in plain JSON values, with paths as text."""
        return {
            **asdict(self),
            "run": str(self.run),
            "folder": str(self.folder),
            "created": self.created.isoformat(),
            "level": LEVEL,
        }

    def table(self) -> list[tuple[str, ...]]:
        """The scores as a table's rows of text, for `COLUMNS`."""
        return [_row(score) for score in self.scores]


COLUMNS = ("score", "value", "95 % interval", "n", "nothing", "real", "better")


def _row(score: EvaluatedScore) -> tuple[str, ...]:
    interval = "-"
    if score.low is not None and score.high is not None:
        interval = f"{score.low:.4g} to {score.high:.4g}{' (t)' if score.method == 't' else ''}"
    better = "higher" if score.higher_is_better else "lower"
    baselines = ("-" if value is None else f"{value:.4g}" for value in (score.nothing, score.real))
    return (score.name, f"{score.value:.4g}", interval, f"{score.n:,}", *baselines, better)
