"""A rate that falls along a cosine."""

from __future__ import annotations

import math

from typing_extensions import override

from genlab import Position, Schedule
from genlab_optimizers.decay import decayed
from genlab_optimizers.settings import Decay, UpToOne


class Cosine(Schedule):
    """A rate that is constant at first, and then falls along half a cosine.

    Loshchilov and Hutter 2017 (arXiv 1608.03983), equation 5, without restarts.

    Args:
        start: the share of the training after which the rate begins to fall.
        end: the share of the rate that is left at the end.
    """

    def __init__(self, *, start: Decay = 0.5, end: UpToOne = 0.0) -> None:
        self.start = start
        self.end = end

    @override
    def factor(self, position: Position) -> float:
        return decayed(position, self.start, self.end, lambda done: (1.0 + math.cos(math.pi * done)) / 2)
