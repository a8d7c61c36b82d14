"""Training in a run's folder: start and resume."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

from genlab.assemble.experiment import Built, build
from genlab.assemble.pair_cache import remove_pairs
from genlab.assemble.read import CheckedRecipe, with_overrides
from genlab.assemble.recipe import Recipe
from genlab.assemble.role_tables import aligned
from genlab.assemble.sharing import refuse_unshared
from genlab.config.changed_values import changed_values
from genlab.config.validate import Keys, dotted
from genlab.data.check import check_pairs, require_counted_pixels
from genlab.engine.checkpoint_state import IntactCheckpoint, newest_intact
from genlab.engine.loop import train_loop
from genlab.engine.processes import Processes
from genlab.engine.runtime import choose_device, memory_errors
from genlab.errors import DataError, DataUnavailableError, GenlabError, RecipeError, RunError, StorageError
from genlab.interfaces.dataset import TrainingSplit
from genlab.interfaces.listener import Listener, Started
from genlab.interfaces.position import Position
from genlab.runs import provenance
from genlab.runs.continuing import recipe_digest
from genlab.runs.ending import finished_error, refuse_pruned, refuse_same_end, refuse_without_patience, without_stop
from genlab.runs.folder import ManifestListener, RunFolder
from genlab.runs.joining import Task, hand_over, processes_record, with_processes
from genlab.runs.kept_recipe import complete_replacement, replace_recipe
from genlab.runs.loaded_content import LoadedContent
from genlab.runs.manifest import Manifest
from genlab.runs.reading import read_run
from genlab.runs.recipe_changes import as_options, refuse_fixed, refuse_fixed_keys
from genlab.runs.rising_rates import warn_of_rising_rates
from genlab.runs.starting_weights import build_with_weights, recorded_contents, warn_of_changed_start
from genlab.util.exceptions import summarize

Listeners = Sequence[tuple[str, Listener]]
OnProgress = Callable[[int, int], None]

_log = logging.getLogger("genlab")


def start_run(
    checked: CheckedRecipe,
    make_folder: Callable[[], RunFolder],
    *,
    name: str,
    stop_at: int | None = None,
    listeners: Listeners = (),
    processes: Processes | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> RunFolder:
    """Train a recipe in a folder that is created once everything that it needs is available.

    Args:
        checked: the recipe.
        make_folder: makes the run's folder.
        name: display name of the recipe.
        stop_at: pause after so many steps, to be resumed.
        listeners: listeners in addition to the recipe's.
        processes: those that train it, of which this is the first; it is alone by default.
        on_progress: called with (done, total), in pairs, while the data are checked.
    """
    processes = processes or Processes()
    _refuse_sharing(checked, processes)
    with memory_errors():
        built, contents = build_with_weights(checked)
        built = with_processes(built, processes)
        loaded = [*provenance.loaded_by(built), *contents]
        _check_data(built, 0, on_progress)
    manifest = provenance.first_manifest(built, loaded, name, checked.document)
    manifest.asked, manifest.processes = recipe_digest(checked), processes_record(None, 0, processes)
    folder = make_folder()
    with folder.locked():
        files = [plugin.file for plugin in checked.components.plugins if plugin.file]
        folder.begin(manifest, files, built.recipe.toml())
        _train(folder, built, None, stop_at, listeners)
    return folder


def resume_run(
    folder: RunFolder,
    *,
    overrides: Iterable[str] = (),
    allow_changed_data: bool = False,
    stop_at: int | None = None,
    listeners: Listeners = (),
    processes: Processes | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> None:
    """Resume a run from its last checkpoint, exactly as if it had not been stopped; without one, from its start.

    Args:
        folder: the run's.
        overrides: `KEY=VALUE` texts of what may change, such as `train.steps=200`; see `recipe_changes`.
        allow_changed_data: whether to train on with pairs of other content, which the manifest records.
        stop_at: pause after so many steps, to be resumed.
        listeners: listeners in addition to the recipe's.
        processes: those that train it from here on, of which this is the first; it is alone by default.
        on_progress: called with (done, total), in pairs, while the data are checked.

    Raises:
        RunError: it has finished and no override lets it continue, is being trained, its checkpoints are missing,
            its recipe was edited, its data changed, or an override is of what may not change.
    """
    processes = processes or Processes()
    assignments = list(overrides)
    folder.refuse_links()
    with folder.locked():
        folder.remove_partial()
        complete_replacement(folder)
        manifest = folder.read()
        refuse_pruned(manifest, folder)
        checkpoint = _last_checkpoint(folder, manifest)
        done = checkpoint.progress.step if checkpoint else 0
        if manifest.status == "finished" and not assignments and done >= manifest.step:
            raise finished_error(manifest, folder)
        manifest, recorded = provenance.taken_back(manifest, done), manifest
        if stop_at is not None and stop_at <= done:
            raise RunError(f"--stop-at {stop_at} is in the past: the run is at step {done}", where=str(folder.path))
        before = read_run(folder)
        checked = _changed(before, assignments, folder)
        changes = changed_values(*aligned(before.tables(), checked.tables()))
        starts = {content.key for content in recorded_contents(manifest)}
        refuse_fixed(changes, assignments, folder, manifest.data.fingerprints.keys() - starts)
        refuse_same_end(manifest, changes, done, folder)
        _refuse_done(manifest, before.recipe, checked.recipe, done, folder)
        refuse_without_patience(manifest, checked.recipe.settings, done, folder)
        _refuse_sharing(checked, processes)
        with memory_errors():
            built, contents = _build_again(checked, folder, manifest, from_start=checkpoint is None)
            built = with_processes(built, processes)
            loaded = [*provenance.loaded_by(built), *contents]
            _check_data(built, done, on_progress)
        _refuse_changed(provenance.changed_data(manifest, built, loaded), folder, allow_changed_data, assignments)
        for change in provenance.changed_versions(manifest, built):
            _log.warning("The run started with %s: results may differ from an uninterrupted run.", change)
        if checkpoint:
            checkpoint = without_stop(checkpoint, manifest, changes)
        updates = provenance.at_resume(manifest, built, loaded, checkpoint)
        updates["processes"] = processes_record(manifest, done, processes)
        if assignments or manifest != recorded:
            updates |= provenance.after_changes(manifest, before, built, done)
            warn_of_rising_rates(before.recipe, built.recipe, done)
            _warn_of_other_weights(before.recipe, built.recipe, done)
        replace_recipe(folder, built.recipe.tables(), **updates)
        if checkpoint:
            folder.set_aside_later(checkpoint.path)
        _train(folder, built, checkpoint, stop_at, listeners)


def _refuse_sharing(checked: CheckedRecipe, processes: Processes) -> None:
    """Raise a `GenlabError` if these processes, or a machine's devices, cannot train a recipe together."""
    refuse_unshared(checked.recipe, checked.document, processes.size)
    processes.require_devices(choose_device(checked.recipe.settings.train.device))


def _changed(before: CheckedRecipe, assignments: Sequence[str], folder: RunFolder) -> CheckedRecipe:
    """The recipe with other values; if it is not valid then, settings that no resume may change are named first."""
    try:
        return with_overrides(before, assignments)
    except RecipeError as error:
        refuse_fixed_keys(assignments, before.tables(), folder, error)
        raise


def _refuse_done(manifest: Manifest, before: Recipe, after: Recipe, done: int, folder: RunFolder) -> None:
    """Raise a `RunError` if no steps are left to train."""
    old, new = before.settings.train.steps, after.settings.train.steps
    if manifest.status == "finished" and old == new == done:
        raise finished_error(manifest, folder)
    if new < done or (new == done and new != old):
        what = f"train.steps = {new}, and {done} steps are done"
        raise RunError(what, where=str(folder.path), hint=f"Set it to more than {done}.")


def _warn_of_other_weights(before: Recipe, after: Recipe, done: int) -> None:
    """Warn of weights of losses that are taken back, or leap, as their change follows the length of the training."""
    old, new = before.settings.train.steps, after.settings.train.steps
    for label, weight in after.weights.items():
        was = before.weights.get(label, weight)
        last, now = was.at(Position(done, old)), weight.at(Position(done, new))
        if was == weight and last != now:
            _log.warning(
                "The weight of the loss %s goes from %.3g to %.3g: after step %s, it follows a training of %s steps.",
                *(label, last, now, f"{done:,}", f"{new:,}"),
            )


def _build_again(
    checked: CheckedRecipe, folder: RunFolder, manifest: Manifest, *, from_start: bool
) -> tuple[Built, list[LoadedContent]]:
    """Build a run's recipe; from a checkpoint, which has all weights, without those that the run started with."""
    try:
        if from_start:
            return build_with_weights(checked)
        built = build(checked.recipe, checked.document)._replace(starts=manifest.starts)
        warn_of_changed_start(manifest, checked)
        return built, recorded_contents(manifest)
    except DataUnavailableError as error:
        keys = _location(checked.recipe.data.table(), error.where)
        if not keys:
            raise
        setting = dotted(("data", *keys))
        moved = f"If the data moved: gen resume {shlex.quote(str(folder.path))} --set {setting}=NEW_PLACE"
        raise DataUnavailableError(error.what, where=error.where, hint=moved) from error


def _location(data: Mapping[str, Any], place: str | None) -> Keys:
    """The keys of the setting that names the place of unavailable data, such as `source`, `root`."""
    for key, value in data.items():
        if str(value) == place:
            return (key,)
        if isinstance(value, dict) and (inner := _location(value, place)):
            return (key, *inner)
    return ()


def _check_data(built: Built, step: int, on_progress: OnProgress) -> None:
    """Check the pairs that are read from a step on: that they did not change while they were read, and count."""
    selections = built.experiment.reads(step)
    were_read = check_pairs(selections, on_progress)
    require_counted_pixels(selections)
    if not were_read:
        return
    data = built.data
    if {"train": data.training.fingerprint(), "validation": data.validation.fingerprint()} == data.fingerprints:
        return
    remove_pairs(built.recipe, data, built.experiment.training.sizes[0])
    what = "the pairs changed while they were read"
    raise DataError(what, where=data.training.description, hint="Start again when nothing writes to them any more.")


def _refuse_changed(
    changed: Mapping[str, str], folder: RunFolder, allow_changed_data: bool, assignments: Sequence[str]
) -> None:
    refused = {
        name: words for name, words in changed.items() if not (allow_changed_data and name in get_args(TrainingSplit))
    }
    if refused:
        hint = "Restore it, or start a new run."
        if set(refused) <= set(get_args(TrainingSplit)):
            accept = ["gen", "resume", str(folder.path), *as_options(assignments), "--allow-changed-data"]
            hint = f"Restore the data, or resume with the changed data: {shlex.join(accept)}"
        raise RunError(
            f"changed since the run started: {', '.join(refused.values())}", where=str(folder.path), hint=hint
        )


def _last_checkpoint(folder: RunFolder, manifest: Manifest) -> IntactCheckpoint | None:
    """The newest intact checkpoint; None if the run was stopped before its first one."""
    checkpoint = newest_intact(folder.checkpoints_path, manifest.id, optimizers=True)
    if checkpoint is None and manifest.step > 0:
        raise RunError(
            f"its checkpoints are missing: there was one of step {manifest.step}",
            where=str(folder.checkpoints_path),
            hint=f"Restore them, or train it again: {folder.command_to_start_again('--out', 'OTHER_FOLDER')}",
        )
    if checkpoint is None:
        _log.info("The run was stopped before its first checkpoint, so it begins with the first step.")
    return checkpoint


def _train(
    folder: RunFolder, built: Built, checkpoint: IntactCheckpoint | None, stop_at: int | None, listeners: Listeners
) -> None:
    """Run the training loop, with the manifest updated before and after."""
    recipe = built.recipe
    started = Started(
        folder=folder.path,
        title=recipe.title or folder.path.name,
        recipe=recipe.toml(),
        facts=_facts(folder, stop_at),
        step=checkpoint.progress.step if checkpoint else 0,
        steps=recipe.settings.train.steps,
        batch_size=recipe.settings.train.pairs_per_step,
    )
    heard_by = [("run.json", ManifestListener(folder)), *built.experiment.listeners, *listeners]
    try:
        with memory_errors():
            experiment = replace(built.experiment, listeners=heard_by, run_id=folder.stored().id)
            hand_over(Task(folder.path, checkpoint=checkpoint, stop_at=stop_at), built)
            ended = train_loop(experiment, started, checkpoint, stop_at)
    except BaseException as error:
        # With a full disk, the original error is raised.
        with suppress(StorageError, RunError):
            if isinstance(error, KeyboardInterrupt):
                folder.update(status="interrupted")
            else:
                folder.update(
                    status="failed", failure=str(error) if isinstance(error, GenlabError) else summarize(error)
                )
        raise
    folder.update(
        status=ended.status,
        step=ended.step,
        signal=ended.signal,
        metrics=dict(ended.metrics),
        best=ended.best,
        ended_early=ended.ended_early,
    )


def _facts(folder: RunFolder, stop_at: int | None) -> dict[str, str]:
    pause = {"pause": f"after step {stop_at}"} if stop_at is not None else {}
    return {**folder.stored().facts, **pause, "run": str(folder.path)}
