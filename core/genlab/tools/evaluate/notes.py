"""Sentences on the figures of an evaluation, which its readers have to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genlab.config.validate import inline
from genlab.runs.run import Run
from genlab.tools.evaluate.data import EvaluatedData
from genlab.tools.evaluate.evaluation import EvaluatedScore
from genlab.tools.evaluate.measured_split import MeasuredSplit
from genlab.tools.evaluate.metrics import EvaluationMetrics
from genlab.tools.evaluate.reference import read_indices

_FEW = 30


def evaluation_notes(
    run: Run, metrics: EvaluationMetrics, data: EvaluatedData, found: MeasuredSplit, shared: Sequence[str]
) -> Iterator[str]:
    """Sentences on what was not measured, and on what makes figures look better than they are."""
    yield from _notes_on_choice(run, data)
    yield from _notes_on_images(data, len(found.indices), shared)
    yield from _notes_on_scores(metrics, data, found)
    yield from _notes_on_training(run, data)


def _notes_on_choice(run: Run, data: EvaluatedData) -> Iterator[str]:
    """Notes on the checkpoint, and on what a part the pairs had in it."""
    manifest = run.manifest
    if manifest.status != "finished":
        yield f"The run is not finished: {manifest.status}, step {manifest.step:,} of {manifest.steps:,}."
    if data.is_own and data.split == "train":
        yield "The run was trained on these pairs, which flatters it."
    is_best = manifest.best is not None and manifest.best.step == run.step
    if data.is_own and data.split == "validation" and is_best and run.checkpoint != "last":
        yield "The checkpoint was chosen as the best one on these pairs, which flatters it."


def _notes_on_images(data: EvaluatedData, count: int, shared: Sequence[str]) -> Iterator[str]:
    if shared:
        some = ", ".join(shared[:5]) + (f" and {len(shared) - 5} more" if len(shared) > 5 else "")
        yield (
            f"{len(shared)} of {count} measured pairs are equal to ones that the run trains or validates on, which"
            f" flatters it: {some}."
        )
    if left := len(data.pairs) - count:
        yield f"{left} pairs, of which no pixel counts, are left out."
    if 0 < count < _FEW:
        yield f"{count} images are few: another {count} may give quite different scores."


def _notes_on_scores(metrics: EvaluationMetrics, data: EvaluatedData, found: MeasuredSplit) -> Iterator[str]:
    if metrics.without_pairs:
        yield f"Not measured, as the {data.split} data have no pairs: {', '.join(metrics.without_pairs)}."
    of_sets = {name: metric for name, metric in metrics.metrics.items() if metric.compares_sets}
    for name, metric in of_sets.items():
        yield (
            f"{name} {metric.description()}, and is not comparable with figures of other features:"
            f" {inline(metrics.settings[name])}."
        )
    if poor := [score for score in found.scores if score.verdict in ("worse", "no difference shown")]:
        verdicts = "; ".join(map(_verdict, poor))
        yield f"Not shown to be better than the mean training target as every prediction: {verdicts}."
    bare = [score.name for score in found.scores if score.low is None]
    if reasons := {name.partition("/")[0]: _reason(name, metrics, found) for name in bare}:
        yield f"Without an interval: {'; '.join(f'{name}, {reason}' for name, reason in reasons.items())}."
    count = len(found.indices)
    if of_sets and data.training_apart(count) is None:
        yield f"Sets of real pictures are not compared: {count} training targets apart are not there."


def _verdict(score: EvaluatedScore) -> str:
    if score.difference is None:
        return f"{score.name} ({score.verdict}, by the values alone)"
    return f"{score.name} ({score.verdict}, {score.difference.low:+.3g} to {score.difference.high:+.3g})"


def _reason(name: str, metrics: EvaluationMetrics, found: MeasuredSplit) -> str:
    """The reason why a score has no interval."""
    if name in found.per_image:
        return "as it needs two images with different, finite values"
    if metrics.metrics[name.partition("/")[0]].scores:
        return "as none is computed of several scores"
    return "as it is no mean over images, and its metric has none that would contain the truth often enough"


def _notes_on_training(run: Run, data: EvaluatedData) -> Iterator[str]:
    """Notes on the data that the figures are compared with."""
    for split, pairs in data.trained.items():
        if (read := len(read_indices(pairs))) < len(pairs):
            mean = ", and the mean training target is theirs" if split == "train" else ""
            yield (
                f"Of {len(pairs):,} {split} pairs {read:,}, spread over all, were read: equal ones among the others are"
                f" not found{mean}."
            )
    if run.manifest.conversion:
        yield (
            "The run was converted from weights: its training data are not known, and nothing is compared with them."
            f" Side {run.recipe.settings.input.direction[0]} is the condition, as --set input.direction said at the"
            " conversion."
        )
    elif not data.trained:
        yield "The run's training data are not here as it had them, so nothing is compared with them."
