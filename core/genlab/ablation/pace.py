"""How long what is missing of an ablation will take, going by what is there. Importing this imports no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean


class Pace:
    """Expects of every cell what others of its arm took, or, where there is none yet, what all others took.

    Args:
        measured: by arm, the seconds of cells that are finished.
        missing: the arms of cells that are not, each as often as cells are missing.
    """

    def __init__(self, measured: Mapping[str, Sequence[float]], missing: Sequence[str]) -> None:
        self.measured = {arm: list(seconds) for arm, seconds in measured.items()}
        self.missing = Counter(missing)

    def ended(self, arm: str, seconds: float | None) -> None:
        """Count a cell that ended, and how long it took if it did so well."""
        self.missing[arm] -= 1
        if seconds is not None:
            self.measured.setdefault(arm, []).append(seconds)

    def left(self, jobs: int) -> float | None:
        """The seconds until all is there, with so many cells trained at a time; None while nothing is known."""
        known = [seconds for arm in self.measured.values() for seconds in arm]
        if not known:
            return None
        whole = fmean(known)
        expected = sum(
            count * fmean(seconds) if (seconds := self.measured.get(arm)) else count * whole
            for arm, count in self.missing.items()
        )
        return expected / max(1, min(jobs, self.missing.total()))
