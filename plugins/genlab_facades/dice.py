"""Random decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Dice:
    """A stream of random decisions that is the same on every machine and in every thread.

    Args:
        seed: the user's seed, 0 or more.
        stream: what the decisions are for, such as a split and an index; other streams are independent of it.
    """

    def __init__(self, seed: int, *stream: int) -> None:
        sequence = np.random.SeedSequence(entropy=seed, spawn_key=stream)
        self._rng = np.random.Generator(np.random.Philox(sequence))

    def hits(self, probability: float) -> bool:
        """True with this probability."""
        return self._rng.random() < probability

    def between(self, low: float, high: float) -> float:
        """A number from a range, all equally likely."""
        return low + (high - low) * self._rng.random()

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self._rng.integers(low, high + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of several, all equally likely."""
        return choices[int(self._rng.integers(len(choices)))]

    def noise(self, *shape: int) -> NDArray[np.float32]:
        """Numbers of mean 0 and standard deviation 1."""
        return self._rng.standard_normal(shape, dtype=np.float32)
