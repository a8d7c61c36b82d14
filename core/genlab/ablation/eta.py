"""ETA of an ablation, from the cells that are finished. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean


class TimeEstimate:
    """Expects of every cell what others of its arm took, or, where there is none yet, what all others took.

    Args:
        measured: by arm, the seconds of cells that are finished.
        missing: the arm of each cell that is not, by the cell's name.
    """

    def __init__(self, measured: Mapping[str, Sequence[float]], missing: Mapping[str, str]) -> None:
        self.measured = {arm: list(seconds) for arm, seconds in measured.items()}
        self.missing = dict(missing)
        self._done: dict[str, float] = {}

    def moved(self, cell: str, share: float) -> None:
        """Note how much of a cell is done, from 0 to 1."""
        self._done[cell] = share

    def ended(self, cell: str, seconds: float | None) -> None:
        """Count a cell that ended, and how long it took in all if it did so well."""
        arm = self.missing.pop(cell)
        if seconds is not None:
            self.measured.setdefault(arm, []).append(seconds)

    def left(self, jobs: int) -> float | None:
        """The seconds until all is there, with so many cells trained at a time; None while nothing is known."""
        known = [seconds for arm in self.measured.values() for seconds in arm]
        if not known:
            return None
        expected = sum(
            fmean(self.measured.get(arm) or known) * (1 - self._done.get(cell, 0.0))
            for cell, arm in self.missing.items()
        )
        return expected / max(1, min(jobs, len(self.missing)))
