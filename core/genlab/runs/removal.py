"""Removal of runs. Importing this imports no torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from genlab.errors import RunError
from genlab.runs.find_runs import find_runs
from genlab.runs.folder import RunFolder
from genlab.runs.run_list import folder_bytes
from genlab.runs.trial_place import ablation_of, has_claims
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.files import file_lock, storage_errors


class RemovableRun(NamedTuple):
    """A run that may be removed.

    Args:
        path: its folder.
        bytes: size on disk.
        consequence: what else it means, of a trial of an ablation; None for other runs.
    """

    path: Path
    bytes: int
    consequence: str | None


def removable_runs(runs: Iterable[str | Path]) -> list[RemovableRun]:
    """Check that runs may be removed, each of them, before any is.

    Raises:
        RunError: not a run, a damaged one, one that is being trained, a link, or a folder with other runs in it.
    """
    paths = [as_path(run) for run in runs]
    for path in paths:
        _require_removable(path)
    return [RemovableRun(path, folder_bytes(path), _consequence(path)) for path in distinct_places(paths)]


def distinct_places(paths: Iterable[Path]) -> list[Path]:
    """Paths without those that another one before leads to, by links or by another spelling."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.resolve(), path)
    return list(found.values())


@checked_arguments
def remove_runs(runs: Iterable[str | Path]) -> dict[Path, int]:
    """Remove runs with all that is in their folders, without a question.

    All are checked before the first one is removed. A run is gone at once: its folder is renamed before it is emptied.

    Args:
        runs: the runs' folders.

    Returns:
        The bytes of each that were freed.

    Raises:
        RunError: not a run, a damaged one, one that is being trained, a link, or a folder with other runs in it.
        StorageError: a folder cannot be removed.
    """
    removed: dict[Path, int] = {}
    for run in removable_runs(runs):
        with locked_for_change(RunFolder(run.path)):
            aside = _aside(run.path)
            with storage_errors(run.path):
                run.path.rename(aside)
        with storage_errors(run.path):
            shutil.rmtree(aside)
        removed[run.path] = run.bytes
    return removed


@contextmanager
def locked_for_change(folder: RunFolder) -> Generator[None]:
    """Hold a run, and of a trial its ablation, against trainings; `RunError` if one is at work."""
    ablation = ablation_of(folder.path)
    if ablation and has_claims(ablation):
        hint = "Wait for it, or stop it. If it was lost, the same `gen ablate` goes on with what it left."
        raise RunError("somebody trains trials of this ablation", where=str(ablation), hint=hint)
    busy = "another process is planning or reporting this ablation"
    with file_lock(ablation / ".lock", busy, patience=0.0) if ablation else nullcontext(), folder.locked():
        yield


def _require_removable(path: Path) -> None:
    if path.is_symlink():
        hint = f"Remove the run at its own place, {path.resolve()}, and then the link."
        raise RunError("this is a link to a run", where=str(path), hint=hint)
    folder = RunFolder.existing(path)
    folder.read()  # what is damaged may be no run
    if below := [found.path for name in sorted(os.listdir(path)) for found in _runs_in(path / name)]:  # noqa: PTH208
        hint = "Move or remove it first."
        raise RunError(f"another run is in this run's folder: {below[0]}", where=str(path), hint=hint)
    with locked_for_change(folder):
        pass


def _runs_in(path: Path) -> Iterable[RunFolder]:
    if path.is_symlink() or not path.is_dir():
        return []
    return [RunFolder(found.path) for found in find_runs(path) if (found.path / "run.json").is_file()]


def _consequence(path: Path) -> str | None:
    ablation = ablation_of(path)
    if ablation is None:
        return None
    return (
        f"a trial of the ablation {ablation}, whose next `gen ablate` trains it again, and reports lack it until then"
    )


def _aside(path: Path) -> Path:
    place = Path(os.path.abspath(path))  # noqa: PTH100  (a name also of `.`)
    return place.with_name(f".{place.name}.{uuid4().hex}.removed")
