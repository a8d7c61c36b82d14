"""ETA (estimated time to finish) of an ablation, from its finished trials. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean


class TimeEstimate:
    """Estimate from the mean duration of finished trials of the same arm, or of all arms where it has none.

    Args:
        measured: by arm, the seconds of trials that are finished.
        missing: the arm of each trial that is not, by the trial's name.
    """

    def __init__(self, measured: Mapping[str, Sequence[float]], missing: Mapping[str, str]) -> None:
        self.measured = {arm: list(seconds) for arm, seconds in measured.items()}
        self.missing = dict(missing)
        self._done: dict[str, float] = {}

    def moved(self, trial: str, share: float) -> None:
        """Note how much of a trial is done, from 0 to 1."""
        self._done[trial] = share

    def ended(self, trial: str, seconds: float | None) -> None:
        """Count a trial that ended, with its total duration if it finished."""
        arm = self.missing.pop(trial)
        if seconds is not None:
            self.measured.setdefault(arm, []).append(seconds)

    def drop(self, arm: str) -> None:
        """Count the missing trials of an arm no more."""
        self.missing = {trial: of for trial, of in self.missing.items() if of != arm}

    def left(self, jobs: int) -> float | None:
        """Seconds until all trials are finished, with this many trained at a time; None before the first estimate."""
        known = [seconds for arm in self.measured.values() for seconds in arm]
        if not known:
            return None
        expected = sum(
            fmean(self.measured.get(arm) or known) * (1 - self._done.get(trial, 0.0))
            for trial, arm in self.missing.items()
        )
        return expected / max(1, min(jobs, len(self.missing)))
