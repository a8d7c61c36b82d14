"""Smoothed step time, for speed and ETA."""

from __future__ import annotations

import math

_MEMORY = 20.0
"""Seconds over which the pace follows a change: long enough for the bursts in which a GPU hands over steps."""


class StepTime:
    """The time that a step takes, and the time that many more will take.

    Times are seconds of any clock that only goes forward. The first step counts only until there is a second one: it
    includes compiling, the first reading of data, and the like.

    Args:
        now: when the first step begins.
    """

    def __init__(self, now: float) -> None:
        self._last = now
        self._first = now
        self._done = 0
        self._steps = 0.0
        self._seconds = 0.0

    def pause(self, now: float) -> None:
        """Leave out the time since the last step, such as that of a validation."""
        self._last = now

    def step(self, now: float) -> None:
        """A step is done."""
        seconds = now - self._last
        if self._done == 1:
            self._steps = self._seconds = 0.0
        elif self._done == 0:
            self._first = now
        self._done += 1
        fading = math.exp(-seconds / _MEMORY)
        self._steps = fading * self._steps + 1
        self._seconds = fading * self._seconds + seconds
        self._last = now

    @property
    def seconds_per_step(self) -> float | None:
        """Recent seconds per step, without pauses; None before the first step."""
        return self._seconds / self._steps if self._done else None

    def seconds_for(self, steps: int) -> float | None:
        """ETA in seconds of that many more steps, with pauses as often as so far; None before the first."""
        if self._done < 2:
            return self._seconds * steps if self._done else None
        return (self._last - self._first) / (self._done - 1) * steps
