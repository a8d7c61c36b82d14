"""Evaluation: the metrics over one split, beside what knows nothing and what real pictures get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from torch import Tensor

from genlab.engine.inference import Predictor
from genlab.engine.runtime import memory_errors
from genlab.engine.validation import try_metrics
from genlab.interfaces.batch import Batch
from genlab.interfaces.dataset import Split
from genlab.registry.discovery.trust import trusting
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.opening import open_run
from genlab.runs.provenance import library_versions
from genlab.runs.reading import read_run
from genlab.runs.run import Run
from genlab.tools.evaluate.data import open_evaluated
from genlab.tools.evaluate.evaluation import Evaluation
from genlab.tools.evaluate.measured_split import measure_split
from genlab.tools.evaluate.metrics import choose_metrics
from genlab.tools.evaluate.notes import evaluation_notes
from genlab.tools.evaluate.pictures import choose_places, draw_sheet
from genlab.tools.evaluate.progress import PairCounter
from genlab.tools.evaluate.reference import read_reference, shared_keys
from genlab.tools.evaluate.report import refuse_other_report, report_folder, write_report
from genlab.tools.evaluate.request import EvaluationRequest, evaluated_recipe
from genlab.util.arguments import as_path, checked_arguments


@checked_arguments
def evaluate(
    run: str | Path,
    *,
    split: Split | None = None,
    data: str | Path | None = None,
    metrics: Iterable[str] = (),
    overrides: Iterable[str] = (),
    by: str | None = None,
    out: str | Path | None = None,
    csv: str | Path | None = None,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Measure a trained run on one split, each score with its interval and with what knows nothing gets.

    The folder of the report has `evaluation.json`, `scores.csv` with the scores of each image, and `evaluation.html`
    with the best, the median and the worst images. Pairs that cannot be read are all named in one error, and nothing
    is written then.

    Args:
        run: the run's folder.
        split: `test`, `validation` or `train`; by default `test` where the data have one, else `validation`.
        data: a folder with other data, which the run's dataset reads instead of its own.
        metrics: names of metrics besides those of the recipe, with their default settings.
        overrides: `KEY=VALUE` texts of the tables `data` and `evaluate`, laid over the recipe.
        by: the metric that ranks images; by default the first that has a value for each.
        out: the folder of the report; by default a new one in the run's `evaluations`.
        csv: a file to which the scores of each image are written too.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        overwrite: whether files that are there already may be replaced.
        trust: whether to run code that came with a run of somebody else, such as a judge, and to remember it as
            trusted.
        on_progress: called with (done, total), in pairs.

    Raises:
        RunError: not a run, it has no such checkpoint, it has code that is not trusted, or it was removed meanwhile.
        DataError: there is no such split, images are of another kind than the run was trained on, or cannot be read.
        RecipeError: a metric is not known, or needs pairs where there are none; or an override of something else.
        StorageError: files are there already, or cannot be written.
        DeviceError: the device asked for is not there.
    """
    asked = EvaluationRequest(
        split=split,
        metrics=list(metrics),
        overrides=list(overrides),
        data=None if data is None else as_path(data),
        by=by,
        out=None if out is None else as_path(out),
        csv=None if csv is None else as_path(csv),
        overwrite=overwrite,
    )
    with trusting(trust):
        return _evaluate(open_run(run, checkpoint=checkpoint, device=device, trust=trust), asked, on_progress)


def _evaluate(run: Run, asked: EvaluationRequest, on_progress: Callable[[int, int], None]) -> Evaluation:
    """Measure a run, and write the report."""
    refuse_other_report(asked.out, asked.csv, overwrite=asked.overwrite)
    predictor, step = Predictor(run.method, run.recipe.settings.inference), run.step  # before the data are read
    own = read_run(run.folder)
    changed = evaluated_recipe(own, asked)
    data = open_evaluated(run, own, changed, asked.split)
    chosen = choose_metrics(changed, data, asked)
    counter = PairCounter(on_progress)

    def predict(_index: int, batch: Batch) -> Tensor:
        return predictor(batch.condition)

    with memory_errors():
        try_metrics(chosen.metrics, data.pairs)
        counter.check(data)
        reference = read_reference(data, counter.add)
        configs, settings = changed.recipe.metrics, run.recipe.settings.evaluate
        found = measure_split(chosen.metrics, configs, predict, data, reference.mean, run.device, counter.add)
        ranked_by = found.ranking(asked.by)
        places = choose_places(data.pairs, found, ranked_by)
        sheet = draw_sheet(data.pairs, places, predict, settings, run.device)
    shared = shared_keys(data.pairs, found.indices, reference)
    with report_folder(run, asked.out, data.split, step) as folder:
        evaluation = Evaluation(
            run=run.path,
            run_id=run.manifest.id,
            step=step,
            weights=run.weight_digests,
            input_size=run.recipe.settings.input.height_width,
            split=data.split,
            data=data.pairs.pairs.description,
            fingerprint=data.fingerprint,
            pairs=len(found.indices),
            metrics=chosen.settings,
            versions=library_versions(),
            created=datetime.now(UTC),
            scores=found.scores,
            per_image=found.per_image,
            shared=shared,
            notes=[*evaluation_notes(run, chosen, data, found, shared)],
            folder=folder,
        )
        write_report(evaluation, sheet, ranked_by, asked.csv)
    return evaluation
