"""The verbs of the command line, as functions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import get_args

from genlab.ablation.ablate import Ablation
from genlab.ablation.jobs import JobEvent
from genlab.ablation.plan import TABLE as ABLATION, make_plan
from genlab.ablation.results import AblationResult
from genlab.assemble.experiment import build_method, construct, prepare, with_ranges
from genlab.assemble.memory_estimate import MemoryEstimate, estimate_training_memory
from genlab.assemble.networks import outline_networks, outlined
from genlab.assemble.open_data import open_data
from genlab.assemble.read import CheckedRecipe, read_recipe
from genlab.assemble.starting_weights import StoredWeights
from genlab.config.load import find_recipe
from genlab.errors import DataUnavailableError
from genlab.interfaces.dataset import Split
from genlab.interfaces.listener import Probed
from genlab.interfaces.loss import AnyLoss
from genlab.registry.discovery.trust import trusting
from genlab.runs import training
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.folder import RunFolder
from genlab.runs.opening import open_run
from genlab.runs.run import Run
from genlab.runs.run_list import newest_to_resume
from genlab.runs.starting_weights import read_starting_weights
from genlab.tools.bench.bench import run_benchmark
from genlab.tools.bench.report import Benchmark
from genlab.tools.compare.compare import measure_and_compare, require_several
from genlab.tools.compare.comparison import Comparison
from genlab.tools.compare.report import write_comparison_page
from genlab.tools.data_report import DataReport, make_data_report
from genlab.tools.evaluate.evaluate import EvaluationRequest, evaluate_run
from genlab.tools.evaluate.evaluation import Evaluation
from genlab.tools.overfit import Overfit, overfit_one_batch
from genlab.tools.probe.probe import probe_skips
from genlab.tools.summary import NetworkSummary, summarize_networks
from genlab.tools.verify.certificate import Certificate
from genlab.tools.verify.verify import verify_run
from genlab.tools.verify.write import write_certificate
from genlab.util.arguments import as_list, as_path, at_least, renamed_arguments
from genlab.util.output_files import refuse_unwritable

_log = logging.getLogger("genlab")


@renamed_arguments(set="overrides")
def check(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = (), trust: bool = False
) -> CheckedRecipe:
    """Validate a recipe and construct all of its components; the data are not read.

    Networks are built as if pairs had three channels. For an ablation, every arm is validated as well.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
    """
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        parts = construct(checked.recipe, checked.document)
        weights = read_starting_weights(checked.recipe, checked.document)
        outlined(lambda: _construct_method(checked, parts.losses, weights))
        if ABLATION in checked.document.values:
            make_plan(checked.document, checked.components)
    return checked


def estimate_memory(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = (), trust: bool = False
) -> MemoryEstimate:
    """Estimate of the memory that a recipe's training takes: a step without values, for pairs of three channels.

    The data are not read. A process takes more than its tensors, 1.2 to 1.9 times as much on a CPU.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
        TrainingError: a step without values fails, such as of a component that computes with them.
    """
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        return estimate_training_memory(checked.recipe, checked.document)


def overfit(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    steps: int = 300,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Overfit:
    """Train on a recipe's first batch alone, which must drive its losses down; nothing of it is kept.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        steps: the most steps to take; it ends as soon as the losses have fallen by a quarter.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_progress: called with (done, total), in steps.

    Raises:
        TrainingError: a loss does not fall, has next to no weight, or none compares a prediction with a target.
        GenlabError: another of its kinds, for everything that a person can mend.
    """
    at_least(1, steps, "steps")
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        return overfit_one_batch(checked, steps, on_progress)


def _construct_method(
    checked: CheckedRecipe, losses: Mapping[str, AnyLoss], weights: Mapping[str, StoredWeights]
) -> None:
    channels = (3, 3)
    networks, _ = outline_networks(checked.recipe, channels, weights, checked.document)
    build_method(checked.recipe, networks, losses, channels, checked.document)


def describe_networks(
    recipe: str | Path, *, overrides: Iterable[str] = (), plugins: Iterable[str | Path] = ()
) -> list[NetworkSummary]:
    """A recipe's networks level by level, for its data's channels, or for three where the data are not available.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong.
        DataError: the data are there and damaged.
    """
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    built = checked.recipe
    try:
        data = open_data(construct(built, checked.document).data)
        channels = prepare(with_ranges(built, data), data.training).channels
    except DataUnavailableError:
        channels = (3, 3)
    weights = read_starting_weights(built, checked.document)

    def describe() -> list[NetworkSummary]:
        networks, starts = outline_networks(built, channels, weights, checked.document)
        return summarize_networks(networks, built, channels, starts)

    return outlined(describe)


def inspect_data(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> DataReport:
    """Report of a recipe's data; every pair is read once, so that unreadable ones are found before training.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        on_progress: called with (done, total), in pairs.

    Raises:
        RecipeError: with all that is wrong.
        DataError: the data are not available, or a pair is invalid.
    """
    return make_data_report(read_recipe(recipe, overrides=overrides, plugins=plugins), on_progress)


@renamed_arguments(set="overrides")
def train(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    stop_at: int | None = None,
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Run:
    """Train a recipe in a new run folder.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe, such as `train.steps=200`.
        stop_at: pause after so many steps, to be resumed.
        plugins: Python files with plugins; the run keeps copies.
        out: the run's own folder, which must be new or empty; otherwise one below `runs`.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_progress: called with (done, total), in pairs, while the data are checked before the training begins.

    Raises:
        GenlabError: one of its kinds, for everything that a person can mend.
    """
    at_least(1, stop_at, "stop_at")
    files = [as_path(file) for file in as_list(plugins, "plugins")]
    path = find_recipe(recipe)
    checked = read_recipe(path, overrides=overrides, plugins=files)
    if out is None:
        make_folder = partial(RunFolder.create_below, Path("runs"), path.stem)
    else:
        target = as_path(out)
        RunFolder.refuse_occupied(target)
        make_folder = partial(RunFolder.create, target)
    with trusting(trust):
        folder = training.start_run(checked, make_folder, name=str(recipe), stop_at=stop_at, on_progress=on_progress)
    return Run(folder)


def resume(
    run: str | Path | None = None,
    *,
    overrides: Iterable[str] = (),
    allow_changed_data: bool = False,
    stop_at: int | None = None,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Run:
    """Resume a run from its last checkpoint, exactly as if it had not been stopped; without one, from its start.

    Args:
        run: the run's folder; by default the newest below `runs` that can be resumed, which is logged.
        overrides: `KEY=VALUE` texts that change the recipe from here on, such as `train.steps=200`, which continues a
            finished run, or `data.root=/new/place`, where the content must be the same. What decides what the weights
            mean cannot change. The run's manifest records each change.
        allow_changed_data: whether to train on with pairs of other content, which the run's manifest records.
        stop_at: pause after so many steps of the whole training, to be resumed.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in pairs, while the data are checked before the training resumes.

    Raises:
        RunError: it has finished and no override lets it continue, is being trained, its checkpoints are missing,
            its data or its recipe.toml changed, it has code that is not trusted, or an override is of what cannot
            change.
        RecipeError: with all that is wrong with the overrides.
        DataError: the data cannot be read.
    """
    if run is None:
        folder = newest_to_resume(Path("runs"))
        _log.info("Resuming the newest run that can be: %s.", folder.path)
    else:
        folder = RunFolder.existing(as_path(run))
    with trusting(trust):
        training.resume_run(
            folder,
            overrides=overrides,
            allow_changed_data=allow_changed_data,
            stop_at=stop_at,
            on_progress=on_progress,
        )
    return open_run(folder.path)


@renamed_arguments(set="overrides", tell="on_event")
def ablate(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
    jobs: int | None = None,
    retrain: bool = False,
    trust: bool = False,
    on_event: Callable[[JobEvent], None] = lambda _event: None,
) -> AblationResult:
    """Run a recipe's ablation; finished trials are reused, and only missing ones are trained.

    Args:
        recipe: the path of a recipe with an `[ablation]`, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe and under its arms.
        plugins: Python files with plugins.
        out: the ablation's folder; otherwise `runs` and the recipe's name.
        jobs: how many trials to train at a time; otherwise one, or one a GPU.
        retrain: whether to train again what was trained with other code.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_event: called with what happens to each trial.

    Raises:
        GenlabError: one of its kinds, for everything that a person can mend.
    """
    at_least(1, jobs, "jobs")
    planned = plan_ablation(recipe, overrides=overrides, plugins=plugins, out=out, trust=trust)
    return planned.run(jobs or planned.slots, retrain, on_event)


def plan_ablation(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
    trust: bool = False,
) -> Ablation:
    """The ablation that a recipe describes, validated and settled, before anything is trained.

    Args:
        recipe: the path of a recipe with an `[ablation]`, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe and under its arms.
        plugins: Python files with plugins.
        out: the ablation's folder; by default `runs` and the recipe's name, so that a second call resumes it.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.

    Raises:
        RecipeError: with all that is wrong with the recipe and its arms.
        DataError: the data are not available.
    """
    folder = as_path(out) if out is not None else Path("runs") / find_recipe(recipe).stem
    files = [as_path(file) for file in as_list(plugins, "plugins")]
    with trusting(trust):
        return Ablation(recipe, folder, overrides=overrides, plugins=files)


@renamed_arguments(tell="on_progress")
def probe(
    run: str | Path,
    *,
    pairs: int = 16,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Probed:
    """Effect of each skip connection of a trained generator, and gradient norms of its levels.

    Args:
        run: the run's folder, where the result is written to `probe/`, that of another checkpoint than the last to
            `probe/best/` or `probe/step-N/`.
        pairs: how many validation pairs to use, two at least.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in skip connections.

    Raises:
        RunError: not a run, its generator has no skip connections, there is no such checkpoint, or it has code that is
            not trusted.
        DataError: its validation pairs are not available.
        DeviceError: the device asked for is not there.
    """
    return probe_skips(open_run(run, checkpoint=checkpoint, device=device, trust=trust), pairs, on_progress)


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
        RunError: not a run, it has no such checkpoint, or it has code that is not trusted.
        DataError: there is no such split, images are of another kind than the run was trained on, or cannot be read.
        RecipeError: a metric is not known, or needs pairs where there are none; or an override of something else.
        StorageError: files are there already, or cannot be written.
        DeviceError: the device asked for is not there.
    """
    if split not in (None, *get_args(Split)):
        raise ValueError(f"split: expected test, validation or train, got {split!r}")
    asked = EvaluationRequest(
        split=split,
        metrics=as_list(metrics, "metrics"),
        overrides=as_list(overrides, "overrides"),
        data=None if data is None else as_path(data),
        by=by,
        out=None if out is None else as_path(out),
        csv=None if csv is None else as_path(csv),
        overwrite=overwrite,
    )
    with trusting(trust):
        return evaluate_run(open_run(run, checkpoint=checkpoint, device=device, trust=trust), asked, on_progress)


def compare_runs(
    runs: Iterable[str | Path],
    *,
    html: str | Path | None = None,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Comparison:
    """Compare trained runs with the first of them: recipes, metrics on the same validation pairs, curves, pictures.

    A run that cannot be measured, such as one whose data are not here, is compared by what it recorded; the
    comparison's `cautions` say so, and what else is not the same.

    Args:
        runs: the runs' folders, two at least.
        html: a file for a page with all of it, which needs no other file.
        checkpoint: of each run `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        overwrite: whether to replace that file.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Raises:
        RunError: fewer than two runs, not a run, or no such checkpoint.
        StorageError: the file exists or cannot be written.
        DeviceError: the device asked for is not there.
    """
    paths = [as_path(run) for run in as_list(runs, "runs")]
    require_several(paths)
    if html is not None:
        refuse_unwritable(as_path(html), overwrite=overwrite)
    open_one = partial(open_run, checkpoint=checkpoint, device=device, trust=trust)
    found = measure_and_compare(paths, open_one, on_progress)
    if html is not None:
        write_comparison_page(found, as_path(html))
    return found


def bench(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    rounds: int = 20,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Benchmark:
    """Benchmark of a recipe's training step against the plain implementation, in turns on this machine.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        rounds: how many steps to measure of each way, two at least.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_progress: called with (done, total), in rounds.

    Raises:
        GenlabError: one of its kinds, for everything that a person can mend.
    """
    at_least(2, rounds, "rounds")
    assignments, files = as_list(overrides, "overrides"), [as_path(file) for file in as_list(plugins, "plugins")]
    check(recipe, overrides=assignments, plugins=files)
    return run_benchmark(recipe, assignments, files, rounds, trust, on_progress)


def verify(
    run: str | Path,
    *,
    overrides: Iterable[str] = (),
    steps: int | None = None,
    device: str | None = None,
    tolerance: float | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Certificate:
    """Verify a run against what it recorded: data, code and checkpoints by SHA-256, and steps that are trained again.

    The first steps are trained again, and those between the last two checkpoints that it kept, in a temporary folder,
    and compared with the values in its metrics.jsonl and with its checkpoints. Nothing is written into the run.

    Args:
        run: the run's folder.
        overrides: `KEY=VALUE` texts that say where the data are now, such as `data.root=/new/place`.
        steps: how many first steps to train again; by default those to the first values that the run recorded.
        device: where to train: auto, cpu, cuda or mps; by default where the run was trained.
        tolerance: largest relative difference of values; by default 0 on the CPU and with the PyTorch that trained the
            run, and elsewhere 0.001, or 0.05 below float32.
        out: file to write the certificate to, as Markdown, or as JSON if its name ends in `.json`.
        overwrite: whether to replace that file.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in steps.

    Raises:
        RunError: not a run, it is being trained, its recipe or its plugins were edited, or it has fewer steps.
        StorageError: the file exists, or cannot be written.
    """
    at_least(1, steps, "steps")
    if tolerance is not None and not 0 <= tolerance <= 1:
        raise ValueError(f"tolerance: expected a number from 0 to 1, got {tolerance}")
    target = as_path(out) if out is not None else None
    if target is not None:
        refuse_unwritable(target, overwrite=overwrite)
    with trusting(trust):
        certificate = verify_run(RunFolder.existing(as_path(run)), overrides, steps, device, tolerance, on_progress)
    if target is not None:
        write_certificate(certificate, target)
    return certificate
