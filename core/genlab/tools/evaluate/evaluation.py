"""Result of an evaluation. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from genlab.interfaces.dataset import Split
from genlab.tools.intervals import STUDENT_MARK, STUDENT_NOTE, MeanInterval
from genlab.util.confidence import LEVEL

IntervalMethod = Literal["bootstrap", "t", "metric"]

ScoreVerdict = Literal["better", "worse", "no difference shown"]


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
        difference: the value less `nothing`, of a score that is a mean over images; None of others, and where the
            images have no two differences.
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
    difference: MeanInterval | None = None

    @property
    def verdict(self) -> ScoreVerdict | None:
        """The score against `nothing`, by the interval of the difference, or without one by the values; None without.

        Where the interval contains zero, other images might turn the order of the two around.
        """
        if self.nothing is None or math.isnan(self.value):
            return None
        low, high = (self.difference.low, self.difference.high) if self.difference else (self.value - self.nothing,) * 2
        if low <= 0 <= high:
            return "no difference shown"
        return "better" if self.higher_is_better == (low > 0) else "worse"


@dataclass(frozen=True)
class Evaluation:
    """Scores of a run on one split.

    Args:
        run: the run's folder.
        run_id: the run's id.
        step: after how many steps its networks were saved.
        weights: SHA-256 of that checkpoint's files, by name.
        input_size: the recipe's `input.size`, height and width in pixels.
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
    weights: Mapping[str, str]
    input_size: tuple[int, int]
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
        """The scores as a table of text, its head first, without columns in which no score has anything."""
        columns = zip(_COLUMNS, *(_row(score) for score in self.scores), strict=True)
        return [*zip(*(column for column in columns if {*column[1:]} != {_NOTHING}), strict=True)]

    def legend(self) -> list[str]:
        """Explanations of the table's columns, and of the mark of Student's intervals where there are some."""
        lines = [f"{name}: {_LEGEND[name]}" for name in self.table()[0] if name in _LEGEND]
        has_student = any(score.method == "t" for score in self.scores)
        return [*lines, STUDENT_NOTE] if has_student else lines


_COLUMNS = ("score", "value", "95 % interval", "nothing", "difference", "real", "better")
_LEGEND = {
    "95 % interval": "over the choice of images, not what another training would give.",
    "nothing": "the score of the mean training target as every prediction.",
    "difference": "95 % interval of the value less nothing's, image by image.",
    "real": "a judge's score of the targets, or targets against training targets.",
}
_NOTHING = "-"


def _row(score: EvaluatedScore) -> tuple[str, ...]:
    interval = difference = _NOTHING
    if score.low is not None and score.high is not None:
        mark = f" {STUDENT_MARK}" if score.method == "t" else ""
        interval = f"{score.low:.4g} to {score.high:.4g}{mark}"
    if score.difference:
        difference = f"{score.difference.low:+.3g} to {score.difference.high:+.3g}"
    nothing, real = (_NOTHING if value is None else f"{value:.4g}" for value in (score.nothing, score.real))
    better = "higher" if score.higher_is_better else "lower"
    return (score.name, f"{score.value:.4g}", interval, nothing, difference, real, better)
