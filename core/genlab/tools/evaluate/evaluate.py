"""Evaluation: the metrics over one split, beside what knows nothing and what real pictures get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from genlab.assemble.experiment import construct
from genlab.assemble.open_data import DataSource, choose_source
from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.assemble.recipe import metric_scores
from genlab.config.diagnostics import recipe_error
from genlab.config.validate import dotted, inline
from genlab.data.check import Selection, check_pairs
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.engine.inference import Predictor
from genlab.engine.runtime import memory_errors
from genlab.engine.validation import measure, pair_as_batch, try_metrics
from genlab.errors import DataUnavailableError, Fault, RecipeError
from genlab.interfaces.batch import Batch
from genlab.interfaces.dataset import Split
from genlab.interfaces.metric import Metric
from genlab.runs.reading import read_run
from genlab.runs.run import Run
from genlab.tools.evaluate.data import EvaluatedData, at_root, open_evaluated
from genlab.tools.evaluate.evaluation import LEVEL, EvaluatedScore, Evaluation, IntervalMethod
from genlab.tools.evaluate.pictures import Sheet, draw_sheet, places_by, spread_places
from genlab.tools.evaluate.reference import TrainingReference, content_of, read_indices, read_reference
from genlab.tools.evaluate.report import new_folder, refuse_other_report, scores_as_csv, write_report
from genlab.tools.intervals import mean_interval
from genlab.util.files import write_text


class EvaluationRequest(NamedTuple):
    """A request for an evaluation.

    Args:
        split: which split; None for `test` where there is one, else `validation`.
        metrics: names of metrics besides those of the recipe.
        overrides: `KEY=VALUE` texts of `data` and `evaluate`.
        data: another place for the run's dataset.
        by: the score that ranks the images of the sheet; None for the first that each image has.
        out: the folder of the report; None for one below the run's.
        csv: a file to which the scores of each image are written too; None for none.
        overwrite: whether files that are there are replaced.
    """

    split: Split | None
    metrics: Sequence[str]
    overrides: Sequence[str]
    data: Path | None
    by: str | None
    out: Path | None
    csv: Path | None
    overwrite: bool


def evaluate_run(run: Run, asked: EvaluationRequest, on_progress: Callable[[int, int], None]) -> Evaluation:
    """Measure a run, and write the report."""
    refuse_other_report(asked.out, asked.csv, overwrite=asked.overwrite)
    method, step = run.method, run.step  # before the data are read
    own = read_run(run.folder)
    changed = _changed(own, run, asked)
    data = _open(run, own, changed, asked)
    metrics, notes = _metrics(changed, data, asked)
    by = _ranking(metrics, asked.by)
    with memory_errors():
        try_metrics(metrics, data.pairs)
        counter = _Counter(on_progress)
        _check(data, counter)
        known = data.fingerprint == run.manifest.data.fingerprints.get(data.split)
        reference = read_reference(data.trained, data.split if known else None, counter.add)
        predictor = Predictor(method, run.recipe.settings.inference)

        def predict(_index: int, batch: Batch) -> Tensor:
            return predictor(batch.condition)

        indices: list[int] = []

        def counted(index: int, batch: Batch) -> Tensor:
            indices.append(index)
            counter.add()
            return predict(index, batch)

        measured = measure(metrics, counted, data.pairs, range(len(data.pairs)), run.device)
        found = _Found(measured.scores, measured.per_image, indices)
        # A metric's own interval is of what it measured last.
        intervals = {name: _interval(name, metric, found) for name, metric in metrics.items()}
        nothing, real = _baselines(run, metrics, data, reference, found)
        scores = _scores(changed, found, intervals, nothing, real)
        ranked_by = by or next((score.name for score in scores if score.name in found.per_image), None)
        sheet = _draw(run, data, found, scores, ranked_by, predict)
    shared = [data.pairs[i].key for i in found.indices if reference.contents & {*content_of(data.pairs, i)}]
    evaluation = Evaluation(
        run=run.path,
        run_id=run.manifest.id,
        step=step,
        split=data.split,
        data=data.pairs.pairs.description,
        fingerprint=data.fingerprint,
        pairs=len(found.indices),
        scores=scores,
        per_image=found.per_image,
        shared=shared,
        notes=[*notes, *_notes(metrics, data, found, shared)],
        folder=asked.out or new_folder(run.path, data.split, step),
    )
    write_report(evaluation, sheet, ranked_by)
    if asked.csv is not None:
        write_text(asked.csv, scores_as_csv(evaluation))
    return evaluation


def _changed(own: CheckedRecipe, run: Run, asked: EvaluationRequest) -> CheckedRecipe:
    """The run's recipe with what the evaluation changes, which is only data and what is measured."""
    assignments = [
        *([at_root(run, asked.data)] if asked.data else []),
        *(
            f"{dotted(('evaluate', 'metrics', name.rpartition(':')[2]))}={{name={inline(name)}}}"
            for name in asked.metrics
        ),
        *asked.overrides,
    ]
    changed = with_overrides(own, assignments)
    before, after = own.recipe.tables(), changed.recipe.tables()
    fixed = [
        key for key in {**before, **after} if before.get(key) != after.get(key) and key not in ("data", "evaluate")
    ]
    if fixed:
        hint = "An evaluation changes `data` and `evaluate` only; everything else is the run's."
        what = "this would be another run than the one that was trained"
        raise recipe_error([Fault((key,), what, hint) for key in fixed], changed.document)
    return changed


def _open(run: Run, own: CheckedRecipe, changed: CheckedRecipe, asked: EvaluationRequest) -> EvaluatedData:
    is_other = own.recipe.data.table() != changed.recipe.data.table()
    other = _source(changed) if is_other else None
    try:
        source = _source(own)
    except DataUnavailableError:
        if other is None:
            raise
        source = None
    return open_evaluated(run, source, other, asked.split)


def _source(checked: CheckedRecipe) -> DataSource:
    parts = replace(checked.recipe, augmentations={}, losses={}, metrics={}, listeners={})
    return choose_source(construct(parts, checked.document).data)


def _metrics(
    changed: CheckedRecipe, data: EvaluatedData, asked: EvaluationRequest
) -> tuple[Mapping[str, Metric], list[str]]:
    """The metrics that can be measured, and a note on those that cannot.

    Raises:
        RecipeError: there is none, or one was asked for by its name and needs pairs.
    """
    parts = replace(changed.recipe, augmentations={}, losses={}, listeners={})
    metrics = construct(parts, changed.document).metrics
    if not metrics:
        hint = "Name one: --metric l1, or --set evaluate.metrics.l1.name=l1."
        raise recipe_error([Fault(("evaluate", "metrics"), "there is no metric to measure", hint)], changed.document)
    if data.pairs.pairs.is_paired:
        return metrics, []
    without = [name for name, metric in metrics.items() if metric.needs_pairs]
    named = {name.rpartition(":")[2] for name in asked.metrics}
    refused = [name for name in without if name in named or len(without) == len(metrics)]
    if refused:
        what = f"needs pairs, and the {data.split} data have none: {data.pairs.pairs.description}"
        hint = "Choose a metric that needs none, such as kid, or evaluate on pairs with --data or --set data.KEY=VALUE."
        faults = [Fault(("evaluate", "metrics", name), f"{name} {what}", hint, at_key=True) for name in refused]
        raise recipe_error(faults, changed.document)
    return metrics, [f"Not measured, as the {data.split} data have no pairs: {', '.join(without)}."] if without else []


def _ranking(metrics: Mapping[str, Metric], by: str | None) -> str | None:
    if by is not None and by not in metrics:
        what = f"no metric is called `{by}`; there are {', '.join(metrics)}"
        raise RecipeError([Fault((), what, "It ranks the images of the sheet.", place="--by")])
    return by


class _Found(NamedTuple):
    """Scores, and the indices of the pairs that were measured."""

    scores: Mapping[str, float]
    per_image: Mapping[str, Mapping[str, float]]
    indices: Sequence[int]


class _Counter:
    """Progress in pairs, over all that is read and predicted."""

    def __init__(self, on_progress: Callable[[int, int], None]) -> None:
        self._on_progress = on_progress
        self.done = 0
        self.total = 0

    def add(self) -> None:
        self.done += 1
        self._on_progress(self.done, self.total)


def _check(data: EvaluatedData, counter: _Counter) -> None:
    """Read all pairs once, so that all that are broken are named in one error."""
    used = [(data.pairs, range(len(data.pairs))), *((pairs, read_indices(pairs)) for pairs in data.trained.values())]
    selections = [Selection.of_pairs(pairs, indices) for pairs, indices in used]
    reads = sum(len(pairs.reads(*sides)) for pairs, *sides in selections)
    counter.total = reads + sum(len(indices) for _, indices in used)
    check_pairs(selections, lambda _done, _total: counter.add())


def _interval(name: str, metric: Metric, found: _Found) -> tuple[float, float, IntervalMethod] | None:
    if name in found.per_image:
        interval = mean_interval(list(found.per_image[name].values()), LEVEL)
        return None if interval is None else (interval.low, interval.high, interval.method)
    ends = None if metric.scores else metric.interval(LEVEL)
    return None if ends is None else (*ends, "metric")


def _baselines(
    run: Run, metrics: Mapping[str, Metric], data: EvaluatedData, reference: TrainingReference, found: _Found
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Scores of the mean training target as the prediction, and of training targets where sets are compared."""
    nothing: Mapping[str, float] = {}
    real: Mapping[str, float] = {}
    if (mean := reference.mean) is not None:
        mean = mean.to(run.device)
        nothing = measure(metrics, lambda _index, _batch: mean, data.pairs, found.indices, run.device).scores
    sets = {name: metric for name, metric in metrics.items() if metric.compares_sets}
    training = _other_targets(data, found)
    if sets and training:
        places = dict(zip(found.indices, evenly_spaced(len(training), len(found.indices)), strict=True))

        def other(index: int, _batch: Batch) -> Tensor:
            return pair_as_batch(training, places[index], run.device).target

        real = measure(sets, other, data.pairs, found.indices, run.device).scores
    return nothing, real


def _other_targets(data: EvaluatedData, found: _Found) -> PreparedPairs | None:
    """Training pairs apart from those that were measured, if they are as many; else None."""
    training = None if data.split == "train" else data.trained.get("train")
    return training if training and len(training) >= len(found.indices) else None


def _scores(
    changed: CheckedRecipe,
    found: _Found,
    intervals: Mapping[str, tuple[float, float, IntervalMethod] | None],
    nothing: Mapping[str, float],
    real: Mapping[str, float],
) -> list[EvaluatedScore]:
    """The scores, without those that are only what another's targets get."""
    known = metric_scores(changed.recipe.metrics)
    of_targets = {score.target_scores for score in known.values()}
    scores: list[EvaluatedScore] = []
    for name, value in found.scores.items():
        if name in of_targets:
            continue
        low, high, method = intervals.get(name) or (None, None, None)
        scores.append(
            EvaluatedScore(
                name=name,
                value=value,
                n=len(found.indices),
                low=low,
                high=high,
                method=method,
                nothing=nothing.get(name),
                real=real.get(name, found.scores.get(known[name].target_scores or "")),
                higher_is_better=known[name].higher_is_better,
            )
        )
    return scores


def _draw(
    run: Run,
    data: EvaluatedData,
    found: _Found,
    scores: Sequence[EvaluatedScore],
    by: str | None,
    predict: Callable[[int, Batch], Tensor],
) -> Sheet:
    places = spread_places(data.pairs, found.indices)
    if by is not None and by in found.per_image:
        direction = next(score.higher_is_better for score in scores if score.name == by)
        places = places_by(by, found.per_image[by], found.indices, higher_is_better=direction)
    return draw_sheet(data.pairs, places, predict, run.recipe.settings.evaluate, run.device)


def _notes(metrics: Mapping[str, Metric], data: EvaluatedData, found: _Found, shared: Sequence[str]) -> Iterable[str]:
    if shared:
        some = ", ".join(shared[:5]) + (f" and {len(shared) - 5} more" if len(shared) > 5 else "")
        yield (
            f"{len(shared)} of {len(found.indices)} measured pairs are equal to ones that the run trains or validates"
            f" on, which flatters it: {some}."
        )
    if left := len(data.pairs) - len(found.indices):
        yield f"{left} pairs, of which no pixel counts, are left out."
    if 0 < len(found.indices) < 30:
        yield f"{len(found.indices)} images are few: another {len(found.indices)} may give quite different scores."
    if any(metric.compares_sets for metric in metrics.values()) and _other_targets(data, found) is None:
        yield f"Sets of real pictures are not compared: {len(found.indices)} training targets apart are not there."
    if data.note:
        yield data.note
