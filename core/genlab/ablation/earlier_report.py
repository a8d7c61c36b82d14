"""Report that an earlier call wrote: the seeds that were planned when figures could first be seen.

Importing this imports no torch.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

FinishedRun = tuple[str, int, datetime]
"""Arm, seed, and when the run was last changed, in whole seconds."""

SeedPlan = tuple[list[int], list[int]]
"""Seeds in their order, and how many of them each look has."""


class _Trial(BaseModel):
    arm: str
    seed: int
    status: str
    updated: datetime | None


class EarlierReport(BaseModel):
    """Parts of an earlier `report.json`: what it planned, what the first report on the same runs did, its trials."""

    seeds: list[int]
    first_seeds: list[int] | None = None
    looks: list[int] | None = None
    first_looks: list[int] | None = None
    trials: list[_Trial]

    @property
    def first_plan(self) -> SeedPlan:
        """Seeds and looks that were planned first."""
        seeds = self.first_seeds or self.seeds
        return seeds, self.first_looks or self.looks or [len(seeds)]

    def has_shown(self, runs: set[FinishedRun]) -> bool:
        """True if figures of any of these runs are in it."""
        shown = {(trial.arm, trial.seed, trial.updated) for trial in self.trials if trial.status == "finished"}
        return not runs.isdisjoint(shown)


def read_first_plan(folder: Path, runs: set[FinishedRun]) -> SeedPlan | None:
    """Read which seeds and looks were planned when a report first showed any of these runs; None if none has."""
    try:
        earlier = EarlierReport.model_validate_json((folder / "report.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return earlier.first_plan if earlier.has_shown(runs) else None
