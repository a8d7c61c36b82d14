"""Interface of schedules: the learning rate over a training."""

from __future__ import annotations

from abc import ABC, abstractmethod

from genlab.interfaces.position import Position


class Schedule(ABC):
    """A learning rate's change over a training, as a factor of the optimizer's own rate.

    It has no state: a run that is resumed asks for the factors from there on. The constructor's arguments are settings.
    """

    @abstractmethod
    def factor(self, position: Position) -> float:
        """Factor of the rate in the step at a position, at least 0; 1 is the rate that the optimizer was made with."""
