"""Decay of a rate over the last part of a training."""

from __future__ import annotations

from collections.abc import Callable

from genlab import Position


def decayed(position: Position, start: float, end: float, shape: Callable[[float], float]) -> float:
    """Factor of a rate that begins to fall at a share of the training.

    Args:
        position: of the step.
        start: the share of the training before the decay.
        end: the factor at the end of the training.
        shape: from the share of the decay that is done, 0 to 1, to the share of the way that is left, 1 to 0.
    """
    first = start * position.steps
    if position.step < first:
        return 1.0
    return end + (1 - end) * shape((position.step - first) / (position.steps - first))
