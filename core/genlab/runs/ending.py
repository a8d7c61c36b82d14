"""Ends of runs, and what it takes to train on."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from genlab.config.changed_values import ChangedValue
from genlab.config.schema import Settings
from genlab.engine.best import best_so_far, out_of_patience
from genlab.engine.checkpoint_state import IntactCheckpoint, update_progress
from genlab.errors import RunError
from genlab.interfaces.listener import EarlyEnd
from genlab.runs.conversion import untrained_error
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest


def finished_error(manifest: Manifest, folder: RunFolder) -> RunError:
    """Error of a resume of a finished run, with how to train longer."""
    if manifest.conversion:
        return untrained_error(manifest.conversion, folder)
    early = manifest.ended_early
    what = f"the run has finished: all {manifest.steps} steps are done"
    if early:
        what = f"the run ended early, after {manifest.step} of {manifest.steps} steps, by {early.by}: {early.reason}"
    hint = _how_to_continue(early, folder)
    return RunError(what, where=str(folder.path), hint=hint)


def _how_to_continue(early: EarlyEnd | None, folder: RunFolder) -> str:
    key = early.by if early else "train.steps"
    change = f"{key}={'false' if key.startswith('listeners.') else 'N'}"
    if key == "method":
        return f"A method's settings cannot change in a resume. To train again: {folder.command_to_start_again()}"
    if not folder.can_continue():
        again = folder.command_to_start_again("--set", change)
        return f"It keeps no optimizer's state, as a run that was pruned. To train longer, start a new run: {again}"
    more = shlex.join(["gen", "resume", str(folder.path), "--set", change])
    purposes = {"train.steps": "to N steps", "train.patience": "with a patience of N"}
    return f"To continue it {purposes.get(key, 'without this listener')}: {more}"


def refuse_pruned(manifest: Manifest, folder: RunFolder) -> None:
    """Raise a `RunError` if a run keeps nothing to continue it with, finished or not."""
    if folder.can_continue() or folder.last_checkpoint() is None:
        return
    if manifest.status == "finished":
        raise finished_error(manifest, folder)
    what = f"the run was pruned at step {manifest.step}: it predicts, and keeps no optimizer's state to resume it with"
    hint = f"To train it from its start, in a new run: {folder.command_to_start_again()}"
    raise RunError(what, where=str(folder.path), hint=hint)


def refuse_without_patience(manifest: Manifest, settings: Settings, done: int, folder: RunFolder) -> None:
    """Raise a `RunError` if a finished run would end at once, as no better validation came and none is waited for.

    Args:
        manifest: the run's.
        settings: those to train on with.
        done: how many steps are done.
        folder: the run's.
    """
    best = best_so_far(settings.checkpoint.best, manifest.best)
    end = out_of_patience(best, settings.train.patience)
    if manifest.status == "finished" and end and best and done >= manifest.step:
        what = f"with train.patience = {settings.train.patience} the run ends where it is, at step {done}: {end.reason}"
        raise RunError(what, where=str(folder.path), hint=f"Set train.patience to more than {best.since}.")


def refuse_same_end(manifest: Manifest, changes: Iterable[ChangedValue], done: int, folder: RunFolder) -> None:
    """Raise a `RunError` if a listener or the method ended a finished run, and no change of the recipe lifts that end.

    Args:
        manifest: the run's.
        changes: of its recipe.
        done: how many steps are done.
        folder: the run's.
    """
    early = manifest.ended_early
    is_at_its_end = manifest.status == "finished" and done >= manifest.step
    if early and early.by != "train.patience" and is_at_its_end and not _is_lifted(early, changes):
        raise finished_error(manifest, folder)


def without_stop(checkpoint: IntactCheckpoint, manifest: Manifest, changes: Iterable[ChangedValue]) -> IntactCheckpoint:
    """Forget the end that a listener or the method asked for, on the disk too, where a training may go past it.

    That is where the recipe's changes lift it, and in a finished run that nothing refused to train on.
    """
    stop = checkpoint.progress.stop
    if stop is None or not (manifest.status == "finished" or _is_lifted(stop, changes)):
        return checkpoint
    update_progress(checkpoint.path, progress := checkpoint.progress.model_copy(update={"stop": None}))
    return checkpoint._replace(progress=progress)


def _is_lifted(end: EarlyEnd, changes: Iterable[ChangedValue]) -> bool:
    """True if the listener that asked for an end has other settings, or is gone; nothing lifts a method's end."""
    return end.by.startswith("listeners.") and any(f"{it.key}.".startswith(f"{end.by}.") for it in changes)
