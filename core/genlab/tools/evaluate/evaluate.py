"""Evaluation: the metrics over one split, beside what knows nothing and what real pictures get."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from genlab.engine.inference import Predictor
from genlab.engine.runtime import memory_errors
from genlab.engine.validation import try_metrics
from genlab.interfaces.batch import Batch
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
from genlab.tools.evaluate.report import new_folder, refuse_other_report, scores_as_csv, write_report
from genlab.tools.evaluate.request import EvaluationRequest, evaluated_recipe
from genlab.util.files import write_text


def evaluate_run(run: Run, asked: EvaluationRequest, on_progress: Callable[[int, int], None]) -> Evaluation:
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
    evaluation = Evaluation(
        run=run.path,
        run_id=run.manifest.id,
        step=step,
        split=data.split,
        data=data.pairs.pairs.description,
        fingerprint=data.fingerprint,
        pairs=len(found.indices),
        scores=found.scores,
        per_image=found.per_image,
        shared=shared,
        notes=[*evaluation_notes(chosen, data, found, shared)],
        folder=asked.out or new_folder(run.path, data.split, step),
    )
    write_report(evaluation, sheet, ranked_by)
    if asked.csv is not None:
        write_text(asked.csv, scores_as_csv(evaluation))
    return evaluation
