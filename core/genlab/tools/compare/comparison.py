"""Result of a comparison: what differs between runs, and in which scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from genlab.config.changed_values import changed_values, dotted_values
from genlab.tools.compare.measured_run import MeasuredRun
from genlab.tools.intervals import paired_interval
from genlab.util.confidence import LEVEL


@dataclass(frozen=True)
class ScoreDifference:
    """Difference of a run's score from the first run's.

    Args:
        mean: the difference.
        low: lower end of its confidence interval over the images; None without one.
        high: its upper end.
        n: number of images that both have a value of; 0 without values by image.
        method: how the interval was computed: `bootstrap`, or `t` for Student's, of fewer than 100 images.
        verdict: whether the interval excludes zero, or why there is none.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    method: Literal["bootstrap", "t"] | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Trained runs, compared with the first of them."""

    runs: Sequence[MeasuredRun]

    @property
    def first(self) -> MeasuredRun:
        """The run that the others are compared with."""
        return self.runs[0]

    @cached_property
    def changed(self) -> dict[str, list[Any]]:
        """Values of the recipes that are not the same in all, by dotted key, in the order of the runs.

        What is not set in a converted run's recipe, such as how it was trained, is not known, and so no difference.
        """
        keys = dict.fromkeys(
            change.key for run in self.runs[1:] for change in changed_values(self.first.tables, run.tables)
        )
        values = [dict(dotted_values(run.tables)) for run in self.runs]
        rows = {key: [found.get(key) for found in values] for key in keys}
        return {key: row for key, row in rows.items() if self._is_changed(row)}

    def _is_changed(self, row: Sequence[Any]) -> bool:
        """True unless only converted runs, which do not have it, differ in a value."""
        known = [value for value, run in zip(row, self.runs, strict=True) if value is not None or run.is_trained]
        return any(value != known[0] for value in known)

    @property
    def metrics(self) -> list[str]:
        """Names of all scores, those of the first run first."""
        return list(dict.fromkeys(name for run in self.runs for name in run.scores))

    def differences(self, metric: str) -> Mapping[int, ScoreDifference | str]:
        """Differences of a score by the run's index, or the reason why there is none."""
        return {index: self._difference(metric, run) for index, run in enumerate(self.runs) if index}

    def _difference(self, metric: str, run: MeasuredRun) -> ScoreDifference | str:
        first = self.first
        if reason := self.not_comparable(metric, run):
            return reason
        difference = run.scores[metric] - first.scores[metric]
        values, baseline = run.per_image.get(metric, {}), first.per_image.get(metric, {})
        n = len(values.keys() & baseline.keys())
        found = paired_interval(values, baseline, self.interval_level)
        if found is None:
            return ScoreDifference(difference, None, None, n, None, self._without_interval(metric, run, n))
        better = first.higher_is_better[metric] == (found.mean > 0)
        verdict = "no difference shown" if found.low <= 0 <= found.high else "better" if better else "worse"
        return ScoreDifference(found.mean, found.low, found.high, found.n, found.method, verdict)

    @property
    def interval_level(self) -> float:
        """Level of each interval, so that all of a metric's hold at once at `LEVEL`, by Bonferroni's correction."""
        return 1 - (1 - LEVEL) / (len(self.runs) - 1)

    def _without_interval(self, metric: str, run: MeasuredRun, n: int) -> str:
        if run.problem or self.first.problem:
            return "no interval: as recorded"
        if n == 0:
            return "no interval: not a mean over images"
        if n == 1:
            return "no interval of one image"
        values, baseline = run.per_image[metric], self.first.per_image[metric]
        differences = {value - baseline[key] for key, value in values.items() if key in baseline}
        if not all(map(math.isfinite, differences)):
            return "not finite"
        return "the same for every image" if differences == {0.0} else "the same difference for every image"

    def not_comparable(self, metric: str, run: MeasuredRun) -> str | None:
        """Reason why a score of a run cannot be compared with the first run's; None if it can."""
        if metric not in run.scores or metric not in self.first.scores:
            return "not measured in both"
        if reason := self.other_images(run) or self._other_record(run):
            return reason
        label = metric.split("/")[1]
        mine, others = (it.tables.get("evaluate", {}).get("metrics", {}).get(label) for it in (self.first, run))
        return None if mine == others else f"evaluate.metrics.{label} has other settings"

    def other_images(self, run: MeasuredRun) -> str | None:
        """Reason why a run was not measured on the first run's images; None if it was."""
        if run.validation != self.first.validation:
            return "other validation data"
        changes = changed_values(self.first.tables.get("input", {}), run.tables.get("input", {}))
        return f"other images: input.{changes[0]}" if changes else None

    def _other_record(self, run: MeasuredRun) -> str | None:
        """Reason why recorded figures are not of the images that others are of; None if they are."""
        pairs = [it.tables["evaluate"]["pairs"] for it in self.runs]
        counts = {it.tables["evaluate"]["pairs"] if it.problem else max(pairs) for it in (self.first, run)}
        return "recorded on other images: evaluate.pairs" if len(counts) > 1 else None

    def cautions(self) -> list[str]:
        """Sentences on what the figures do not say."""
        return list(self._cautions())

    def _cautions(self) -> Iterator[str]:
        first = self.first
        for run in self.runs:
            if run.problem:
                yield f"{run.name} was not measured, so its figures are those of its last validation: {run.problem}"
            if run.manifest.status != "finished":
                yield f"{run.name} is not finished: {run.label}."
            if not run.is_trained:
                yield f"{run.name} was converted from weights: how it was trained is not known."
        trained = [run for run in self.runs if run.is_trained]
        if len({run.step for run in trained}) > 1:
            steps = ", ".join(f"{run.name} {run.step:,}" for run in trained)
            yield f"The networks were trained for different numbers of steps: {steps}."
        for run in self.runs[1:]:
            if reason := self.other_images(run):
                yield f"{run.name} and {first.name} are not measured on the same images: {reason}."
            if run.is_trained and first.is_trained and _training_data(run) != _training_data(first):
                yield f"{run.name} was trained on other data than {first.name}."
            if packages := sorted(_changed(first.manifest.code, run.manifest.code)):
                yield f"{run.name} was trained with other code than {first.name} of: {', '.join(packages)}."
            if not run.scores.keys() & first.scores.keys():
                yield f"{run.name} and {first.name} have no metric in common."

    def as_json(self) -> dict[str, Any]:
        """All but pictures, in plain values."""
        return {
            "runs": [
                {
                    "name": run.name,
                    "title": run.manifest.title,
                    "status": run.manifest.status,
                    "step": run.step,
                    "steps": run.manifest.steps,
                    "images": run.images,
                    "problem": run.problem,
                    "scores": run.scores,
                    "curves": {
                        name: {step: interval.mean for step, interval in band.items()}
                        for name, band in run.curves.items()
                    },
                }
                for run in self.runs
            ],
            "changed": self.changed,
            "confidence": LEVEL,
            "interval_level": self.interval_level,
            "metrics": {metric: self._as_json(metric) for metric in self.metrics},
            "cautions": self.cautions(),
        }

    def _as_json(self, metric: str) -> dict[str, Any]:
        differences = {
            self.runs[index].name: {"not_compared": found} if isinstance(found, str) else asdict(found)
            for index, found in self.differences(metric).items()
        }
        direction = next((it.higher_is_better[metric] for it in self.runs if metric in it.higher_is_better), None)
        return {"higher_is_better": direction, "differences": differences}


def _training_data(run: MeasuredRun) -> str | None:
    return run.manifest.data.fingerprints.get("train")


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [name for name in old if name in new and old[name] != new[name]]
