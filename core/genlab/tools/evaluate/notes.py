"""Sentences on the figures of an evaluation, which its readers have to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genlab.config.validate import inline
from genlab.runs.run import Run
from genlab.tools.evaluate.data import EvaluatedData
from genlab.tools.evaluate.measured_split import MeasuredSplit
from genlab.tools.evaluate.metrics import EvaluationMetrics

_FEW = 30


def evaluation_notes(
    run: Run, metrics: EvaluationMetrics, data: EvaluatedData, found: MeasuredSplit, shared: Sequence[str]
) -> Iterator[str]:
    """Sentences on what was not measured, and on what makes figures look better than they are."""
    manifest, count = run.manifest, len(found.indices)
    if manifest.status != "finished":
        yield f"The run is not finished: {manifest.status}, step {manifest.step:,} of {manifest.steps:,}."
    if metrics.without_pairs:
        yield f"Not measured, as the {data.split} data have no pairs: {', '.join(metrics.without_pairs)}."
    if shared:
        some = ", ".join(shared[:5]) + (f" and {len(shared) - 5} more" if len(shared) > 5 else "")
        yield (
            f"{len(shared)} of {count} measured pairs are equal to ones that the run trains or validates on, which"
            f" flatters it: {some}."
        )
    if data.is_own and data.split == "train":
        yield "The run was trained on these pairs, which flatters it."
    for name, metric in metrics.metrics.items():
        if metric.compares_sets:
            yield (
                f"{name} {metric.description()}, and is not comparable with figures of other features:"
                f" {inline(metrics.settings[name])}."
            )
    if worse := [score.name for score in found.scores if score.is_no_better_than_nothing]:
        yield f"No better than the mean training target as every prediction: {', '.join(worse)}."
    if left := len(data.pairs) - count:
        yield f"{left} pairs, of which no pixel counts, are left out."
    if 0 < count < _FEW:
        yield f"{count} images are few: another {count} may give quite different scores."
    if any(metric.compares_sets for metric in metrics.metrics.values()) and data.training_apart(count) is None:
        yield f"Sets of real pictures are not compared: {count} training targets apart are not there."
    if manifest.conversion:
        yield (
            "The run was converted from weights: its training data are not known, and nothing is compared with them."
            f" Side {run.recipe.settings.input.direction[0]} is the condition, as --set input.direction said at the"
            " conversion."
        )
    elif not data.trained:
        yield "The run's training data are not here as it had them, so nothing is compared with them."
