"""Report that an earlier call wrote: the seeds that were planned when figures could first be seen.

Importing this imports no torch.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

FinishedRun = tuple[str, int, datetime]
"""Arm, seed, and when the run was last changed, in whole seconds."""


class _Trial(BaseModel):
    arm: str
    seed: int
    status: str
    updated: datetime | None


class EarlierReport(BaseModel):
    """Parts of an earlier `report.json`: planned seeds, those of the first report on the same runs, and its trials."""

    seeds: list[int]
    first_seeds: list[int] | None = None
    trials: list[_Trial]

    def has_shown(self, runs: set[FinishedRun]) -> bool:
        """True if figures of any of these runs are in it."""
        shown = {(trial.arm, trial.seed, trial.updated) for trial in self.trials if trial.status == "finished"}
        return not runs.isdisjoint(shown)


def read_first_seeds(folder: Path, runs: set[FinishedRun]) -> list[int] | None:
    """Read which seeds were planned when a report first showed any of these runs; None if none has."""
    try:
        earlier = EarlierReport.model_validate_json((folder / "report.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return (earlier.first_seeds or earlier.seeds) if earlier.has_shown(runs) else None
