"""Conformance tests of schedules of the learning rate."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from genlab.interfaces.position import Position
from genlab.interfaces.schedule import Schedule
from genlab.testing.suite import Suite, require


class ScheduleSuite(Suite):
    """A schedule's part of the contract: a factor for each step of a training of any length, whatever came before."""

    kind = "schedule"
    lengths: ClassVar[tuple[int, ...]] = (1, 2, 7, 100, 80_000)
    """Lengths of trainings, in steps; of the longest ones, some steps are tried."""

    def schedule(self) -> Schedule:
        """A new schedule with the suite's settings."""
        return self.construct()

    def factors(self, schedule: Schedule, steps: int) -> list[Any]:
        """The factors of the steps of a training, of a hundred of them at most, in their order."""
        return [schedule.factor(Position(step, steps)) for step in range(0, steps, math.ceil(steps / 100))]

    def test_a_factor_is_a_number(self) -> None:
        """At every step of a training of any length it is finite and at least 0."""
        for steps in self.lengths:
            for factor in self.factors(self.schedule(), steps):
                what = f"in a training of {steps} steps, a factor is {factor!r:.60}; expected a number of at least 0"
                require(isinstance(factor, int | float) and math.isfinite(factor) and factor >= 0, what)

    def test_a_training_learns(self) -> None:
        """In a training of any length the factor of some step is above 0."""
        for steps in self.lengths:
            require(max(self.factors(self.schedule(), steps)) > 0, f"in a training of {steps} steps, all factors are 0")

    def test_a_factor_is_a_function_of_the_position(self) -> None:
        """A run that is resumed asks a new schedule for the factors from there on: none depends on an earlier call."""
        for steps in self.lengths:
            expected = self.factors(self.schedule(), steps)
            schedule = self.schedule()
            later = [*map(self._alone, range(0, steps, math.ceil(steps / 100)), [steps] * len(expected))]
            require(later == expected, f"in a training of {steps} steps, a new schedule gives other factors later on")
            self.factors(schedule, 3)
            what = f"in a training of {steps} steps, it gives other factors after those of another training"
            require(self.factors(schedule, steps) == expected, what)

    def _alone(self, step: int, steps: int) -> float:
        return self.schedule().factor(Position(step, steps))
