"""Timing of a training: periodic events, and throughput."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple


def due(step: int, steps: int, times: int) -> bool:
    """True if one of `times` occasions, evenly spaced over the training, is due at this step; the end is always one."""
    return step * times // steps > (step - 1) * times // steps


class Throughput(NamedTuple):
    """Throughput since the last reading.

    Args:
        seconds: how long that was.
        images_per_second: pairs trained with.
        waiting: fraction of the time spent waiting for pairs (data stall), from 0 to 1.
    """

    seconds: float
    images_per_second: float
    waiting: float


class StepTimer:
    """Time since the training started, and the throughput of its steps without validation and checkpoints.

    Args:
        batch_size: pairs in a batch.

    Attributes:
        waited: seconds spent waiting for pairs.
        stepped: seconds spent in steps.
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.waited = self.stepped = 0.0
        self._started = self._saved = self._read = time.monotonic()
        self._batches = 0
        self._waited_before = 0.0

    def seconds(self) -> float:
        """Seconds since the training started."""
        return time.monotonic() - self._started

    def throughput(self) -> Throughput:
        """Throughput since the last call."""
        now = time.monotonic()
        seconds = max(now - self._read, 1e-9)
        images = self._batches * self.batch_size
        throughput = Throughput(seconds, images / seconds, (self.waited - self._waited_before) / seconds)
        self._read, self._batches, self._waited_before = now, 0, self.waited
        return throughput

    @contextmanager
    def waiting(self) -> Generator[None, None, None]:
        """Context that counts as waiting for pairs."""
        before = time.monotonic()
        yield
        self.waited += time.monotonic() - before

    @contextmanager
    def stepping(self, batches: int = 1) -> Generator[None, None, None]:
        """Context that counts as a step, with so many batches."""
        before = time.monotonic()
        yield
        self.stepped += time.monotonic() - before
        self._batches += batches

    @contextmanager
    def aside(self) -> Generator[None, None, None]:
        """Context that is excluded from the throughput; may be nested."""
        before, read = time.monotonic(), self._read
        yield
        self._read = read + time.monotonic() - before

    def saved(self) -> None:
        """Restart the time since the last checkpoint."""
        self._saved = time.monotonic()

    def minutes_since_save(self) -> float:
        """Minutes since the last checkpoint."""
        return (time.monotonic() - self._saved) / 60
