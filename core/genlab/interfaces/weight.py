"""Weight of a loss over the training."""

from __future__ import annotations

from typing import NamedTuple

from genlab.interfaces.position import Position


class Weight(NamedTuple):
    """Weight of a loss: constant, or changed linearly over the first part of the training.

    Args:
        to: the weight, after the change if it changes.
        start: the weight at the first step; None for a constant.
        over: the share of the training that the change takes.
    """

    to: float
    start: float | None = None
    over: float = 1.0

    def at(self, position: Position) -> float:
        """The weight at a position of the training."""
        if self.start is None:
            return self.to
        share = min(position.progress / self.over, 1.0)
        return self.start + (self.to - self.start) * share
