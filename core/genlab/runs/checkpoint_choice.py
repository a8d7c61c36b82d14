"""Choice of the checkpoint that a run is read from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from genlab.engine.checkpoint_files import checkpoints, step_of
from genlab.engine.checkpoint_state import IntactCheckpoint, newest_intact, open_checkpoint, read_progress
from genlab.errors import RunError
from genlab.runs.folder import RunFolder

CheckpointChoice = Literal["last", "best"] | int
"""The last checkpoint, the one of the best validation, or that of a step."""


def find_checkpoint(folder: RunFolder, choice: CheckpointChoice) -> Path:
    """Path of a checkpoint of a run, whose content is not checked; `RunError` with those that are there if it is not.

    Args:
        folder: the run's.
        choice: which one.
    """
    there = checkpoints(folder.checkpoints_path)
    if not there:
        raise RunError("the run has no checkpoint yet, so it has no trained networks", where=str(folder.path))
    if choice == "last":
        return there[-1]
    best = _best_step(there)
    if choice == "best" and best is None:
        what = "the run has no best checkpoint"
        reason = "Its recipe has no `checkpoint.best`, or no validation was made yet."
        raise RunError(what, where=str(folder.path), hint=f"{reason} {_listed(there, None)}")
    step = best if isinstance(choice, str) else choice
    found = next((path for path in there if step_of(path) == step), None)
    if found is None:
        what = f"there is no checkpoint of step {step}{', which was the best' if choice == 'best' else ''}"
        raise RunError(what, where=str(folder.path), hint=_listed(there, best))
    return found


def trained_checkpoint(folder: RunFolder, run: str, choice: CheckpointChoice = "last") -> IntactCheckpoint:
    """Open a checkpoint of a run, to predict with.

    Args:
        folder: the run's.
        run: the run's id.
        choice: which one; of the last ones the newest that is intact, and a damaged one causes a warning.

    Raises:
        RunError: it is not there, or is damaged.
    """
    found = find_checkpoint(folder, choice)
    if choice == "last":
        return newest_intact(folder.checkpoints_path, run, optimizers=False) or trained_checkpoint(folder, run)
    try:
        return open_checkpoint(found, run, optimizers=False)
    except RunError as error:
        if not found.is_dir():  # a training removed it meanwhile
            return trained_checkpoint(folder, run, choice)
        last = '`--checkpoint last`, or `checkpoint = "last"` in a recipe'
        hint = f"Restore it from a copy of the run, or take the last one: {last}."
        raise RunError(error.what, where=error.where, hint=hint) from error


def _best_step(there: list[Path]) -> int | None:
    """The step of the best validation, by the newest checkpoint that says so."""
    for path in reversed(there):
        with suppress(RunError):
            best = read_progress(path).best
            return best.step if best and best.is_found else None
    return None


def _listed(there: list[Path], best: int | None) -> str:
    """Sentence with the checkpoints that are there, the newest first."""
    steps = [step_of(path) for path in reversed(there)]
    notes = {steps[0]: ["last"]}
    if best is not None:
        notes.setdefault(best, []).append("best")
    listed = (f"{step} ({' and '.join(notes[step])})" if step in notes else str(step) for step in steps)
    return f"Its checkpoints, by step: {', '.join(listed)}."
