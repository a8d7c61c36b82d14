"""Checking, training, resuming and benchmarks of recipes, and their ablations: what puts packages together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from genlab.ablation.ablate import Ablation
from genlab.ablation.jobs import JobEvent
from genlab.ablation.plan import TABLE as ABLATION, make_plan
from genlab.ablation.results import AblationResult
from genlab.assemble.experiment import build_method, construct
from genlab.assemble.networks import outline_networks, outlined
from genlab.assemble.read import CheckedRecipe, read_recipe
from genlab.assemble.starting_weights import StoredWeights
from genlab.config.load import find_recipe
from genlab.engine.processes import Processes, joined
from genlab.interfaces.loss import AnyLoss
from genlab.registry.discovery.trust import trusting
from genlab.runs import training
from genlab.runs.continuing import begun_before
from genlab.runs.folder import RunFolder
from genlab.runs.joining import dismiss, join
from genlab.runs.opening import open_run
from genlab.runs.run import Run
from genlab.runs.run_list import newest_to_resume
from genlab.runs.starting_weights import read_starting_weights
from genlab.tools.bench.bench import run_benchmark
from genlab.tools.bench.report import Benchmark
from genlab.util.arguments import as_path, at_least, checked_arguments, renamed_arguments

_log = logging.getLogger("genlab")


@renamed_arguments(set="overrides")
@checked_arguments
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


def _construct_method(
    checked: CheckedRecipe, losses: Mapping[str, AnyLoss], weights: Mapping[str, StoredWeights]
) -> None:
    channels = (3, 3)
    networks, _ = outline_networks(checked.recipe, channels, weights, checked.document)
    build_method(checked.recipe, networks, losses, channels, checked.document)


@renamed_arguments(set="overrides")
@checked_arguments
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
    files = [as_path(file) for file in plugins]
    with joined() as processes, trusting(trust):
        if not processes.is_first:
            return Run(join(processes))
        path = find_recipe(recipe)
        checked = read_recipe(path, overrides=overrides, plugins=files)
        make_folder = partial(RunFolder.create_below, Path("runs"), path.stem)
        if out is not None:
            folder = RunFolder(as_path(out))
            if begun_before(folder, checked):
                return _go_on(folder, stop_at, processes, on_progress)
            RunFolder.refuse_occupied(folder.path)
            make_folder = partial(RunFolder.create, folder.path)
        folder = training.start_run(
            checked, make_folder, name=str(recipe), stop_at=stop_at, processes=processes, on_progress=on_progress
        )
    return Run(folder)


def _go_on(
    folder: RunFolder, stop_at: int | None, processes: Processes, on_progress: Callable[[int, int], None]
) -> Run:
    """Go on with a run that the same command began; one that has finished stays as it is."""
    if folder.read().status == "finished":
        _log.info("%s: this run has finished already.", folder.path)
        dismiss(folder, processes)
    else:
        training.resume_run(folder, stop_at=stop_at, processes=processes, on_progress=on_progress)
    return Run(folder)


@checked_arguments
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
    with joined() as processes, trusting(trust):
        if not processes.is_first:
            return Run(join(processes))
        if run is None:
            folder = newest_to_resume(Path("runs"))
            _log.info("Resuming the newest run that can be: %s.", folder.path)
        else:
            folder = RunFolder.existing(as_path(run))
        training.resume_run(
            folder,
            overrides=overrides,
            allow_changed_data=allow_changed_data,
            stop_at=stop_at,
            processes=processes,
            on_progress=on_progress,
        )
    return open_run(folder.path)


@renamed_arguments(set="overrides", tell="on_event")
@checked_arguments
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


@checked_arguments
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
    files = [as_path(file) for file in plugins]
    with trusting(trust):
        return Ablation(recipe, folder, overrides=overrides, plugins=files)


@checked_arguments
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
    assignments, files = list(overrides), [as_path(file) for file in plugins]
    check(recipe, overrides=assignments, plugins=files)
    return run_benchmark(recipe, assignments, files, rounds, trust, on_progress)
