"""Pruning of runs: without what only a resume needs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genlab.engine.checkpoint import drop_training_state
from genlab.engine.checkpoint_state import open_checkpoint
from genlab.errors import RunError
from genlab.runs.folder import RunFolder
from genlab.runs.removal import distinct_places, locked_for_change
from genlab.runs.run_list import folder_bytes
from genlab.runs.trial_place import ablation_of
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.files import storage_errors


@checked_arguments
def prune_runs(runs: Iterable[str | Path]) -> dict[Path, int]:
    """Remove what only a resume needs: optimizers' states, and checkpoints other than the last and the best.

    The runs predict the same afterwards, to the last bit, and cannot be resumed. All are checked before the first one
    is pruned.

    Args:
        runs: the runs' folders.

    Returns:
        The bytes of each that were freed.

    Raises:
        RunError: not a run, one that is being trained, has no checkpoint or a damaged last one, or is a trial of an
            ablation that is not finished.
    """
    return {folder.path: _prune(folder) for folder in prunable_runs(runs)}


def prunable_runs(runs: Iterable[str | Path]) -> list[RunFolder]:
    """Check that runs may be pruned, each of them, before any is; a `RunError` as `prune_runs` has it."""
    paths = [as_path(run) for run in runs]
    for path in paths:
        require_prunable(RunFolder(path))
    return [RunFolder(path) for path in distinct_places(paths)]


def require_prunable(folder: RunFolder) -> None:
    """Raise a `RunError` if a run cannot be pruned, or would not predict the same afterwards."""
    RunFolder.existing(folder.path)
    folder.refuse_links()
    manifest = folder.read()
    with locked_for_change(folder):
        last = folder.last_checkpoint()
    if last is None:
        raise RunError("the run has no checkpoint, so there is nothing to prune", where=str(folder.path))
    if ablation_of(folder.path) and manifest.status != "finished":
        what = f"this trial of an ablation is {manifest.status}, and is still to be resumed"
        hint = f"Finish the ablation {ablation_of(folder.path)} first, which prunes its trials itself."
        raise RunError(what, where=str(folder.path), hint=hint)
    open_checkpoint(last, manifest.id, optimizers=False)  # an older one is what a run with a damaged one predicts with


def _prune(folder: RunFolder) -> int:
    with locked_for_change(folder), storage_errors(folder.checkpoints_path):
        before = folder_bytes(folder.path)
        drop_training_state(folder.checkpoints_path)
        return before - folder_bytes(folder.path)
