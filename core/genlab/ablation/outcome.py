"""Outcome of a trial, for all workers of its ablation to see. Importing this imports no torch.

failed/TRIAL    why a trial failed; it is not tried again until `gen ablate` asks for it anew
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from genlab.ablation.jobs import Job, JobEnded
from genlab.errors import RunError
from genlab.runs.folder import RunFolder
from genlab.util.bounded import read_bounded
from genlab.util.files import refresh, storage_errors, write_text

_FOLDER = "failed"


def find_outcome(job: Job, *, anew: bool = False) -> JobEnded | None:
    """Outcome of a job's trial, whoever trained it; None if it is not finished and did not fail.

    Args:
        job: the trial.
        anew: whether to look past what a network file system has cached.
    """
    if anew:
        refresh(job.ablation, _failure(job).parent, *reversed(job.target.parents[:2]), job.target)
    with suppress(OSError):
        return JobEnded(job, "failed", read_bounded(_failure(job)).decode(errors="replace").strip())
    try:
        manifest = RunFolder(job.target).stored()
    except RunError:
        return None
    return JobEnded(job, "finished", None) if manifest.status == "finished" else None


def record_failure(job: Job, failure: str) -> None:
    """Record why a trial failed."""
    with storage_errors(_failure(job)):
        _failure(job).parent.mkdir(exist_ok=True)
    write_text(_failure(job), failure + "\n")


def forget_failures(ablation: Path) -> None:
    """Let failed trials of an ablation be tried again."""
    for path in (ablation / _FOLDER).glob("*"):
        with suppress(OSError):
            path.unlink()


def _failure(job: Job) -> Path:
    return job.ablation / _FOLDER / job.trial
