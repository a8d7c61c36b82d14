"""Progress of an evaluation, in pairs."""

from __future__ import annotations

from collections.abc import Callable

from genlab.data.check import Selection, check_pairs
from genlab.tools.evaluate.data import EvaluatedData
from genlab.tools.evaluate.reference import read_indices


class PairCounter:
    """Progress in pairs, over all that is checked, read and predicted."""

    def __init__(self, on_progress: Callable[[int, int], None]) -> None:
        self._on_progress = on_progress
        self._done = 0
        self._total = 0

    def check(self, data: EvaluatedData) -> None:
        """Read all pairs once, so that all that are broken are named in one error; `DataError`."""
        used = [
            (data.pairs, range(len(data.pairs))),
            *((pairs, read_indices(pairs)) for pairs in data.trained.values()),
        ]
        selections = [Selection.of_pairs(pairs, indices) for pairs, indices in used]
        reads = sum(len(pairs.reads(*sides)) for pairs, *sides in selections)
        self._total = reads + sum(len(indices) for _, indices in used)
        check_pairs(selections, lambda _done, _total: self.add())

    def add(self) -> None:
        """Count a pair."""
        self._done += 1
        self._on_progress(self._done, self._total)
