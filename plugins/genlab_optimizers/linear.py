"""A rate that falls linearly."""

from __future__ import annotations

from typing_extensions import override

from genlab import Position, Schedule
from genlab_optimizers.decay import decayed
from genlab_optimizers.settings import Decay, UpToOne


class Linear(Schedule):
    """A rate that is constant at first, and then falls by the same amount at each step.

    Args:
        start: the share of the training after which the rate begins to fall.
        end: the share of the rate that is left at the end.
    """

    def __init__(self, *, start: Decay = 0.5, end: UpToOne = 0.0) -> None:
        self.start = start
        self.end = end

    @override
    def factor(self, position: Position) -> float:
        return decayed(position, self.start, self.end, lambda done: 1.0 - done)
