"""When things are due, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager


def due(step: int, steps: int, times: int) -> bool:
    """Whether one of `times` occasions, spread evenly over the training, falls on this step; the end is one."""
    return step * times // steps > (step - 1) * times // steps


class Clock:
    """Time since the training started here, and the rate of its steps without what happens beside them."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self._started = self._saved = self._read = time.monotonic()
        self._steps = 0

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def step_done(self) -> None:
        self._steps += 1

    def images_per_second(self) -> float:
        """The rate since this was last asked."""
        now = time.monotonic()
        rate = self._steps * self.batch_size / max(now - self._read, 1e-9)
        self._read, self._steps = now, 0
        return rate

    @contextmanager
    def aside(self) -> Generator[None, None, None]:
        """Time in this block does not count for the rate."""
        before = time.monotonic()
        yield
        self._read += time.monotonic() - before

    def saved(self) -> None:
        self._saved = time.monotonic()

    def minutes_since_save(self) -> float:
        return (time.monotonic() - self._saved) / 60
