"""Reproducible order of the pairs (shuffling) as a function of seed and position.

It is stateless, so batches do not depend on workers, on the batch size, or on where a run was resumed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ORDER, _AUGMENT = 0, 1
_TARGETS = 2
"""Distance from the purposes of pairs' and conditions' draws to those of targets without pairs."""

_FIRST_STREAM = {("jitter", 2): slice(0, 2), ("flip", 1): slice(2, 3)}
"""What draws by these names take of the stream 0, which they shared before names had streams of their own."""


@dataclass(frozen=True)
class Draw:
    """Image at one position of the training, and its random numbers.

    Args:
        seed: the recipe's.
        index: index of the pair, or of the image among those of its side.
        epoch: number of completed epochs.
        of_targets: whether it is a target that is drawn without its condition.
    """

    seed: int
    index: int
    epoch: int
    of_targets: bool = False

    def numbers(self, name: str, count: int) -> list[float]:
        """Draw numbers in [0, 1); the same name gives the same ones, whatever else is drawn."""
        key = (self.seed, _AUGMENT + _TARGETS * self.of_targets, self.epoch, self.index)
        if place := _FIRST_STREAM.get((name, count)):
            return _random(*key).random(3)[place].tolist()
        return _random(*key, _stream(name)).random(count).tolist()


def draw(seed: int, position: int, count: int, *, of_targets: bool = False) -> Draw:
    """Draw for a position of the training, counted from 0 over all epochs of `count` pairs.

    Without pairs, conditions are drawn so, and targets `of_targets` by themselves.
    """
    return Draw(seed, pair_at(seed, position, count, of_targets=of_targets), position // count, of_targets)


def pair_at(seed: int, position: int, count: int, *, of_targets: bool = False) -> int:
    """Index of the pair, or of the image of a side, at a position of the training."""
    epoch, place = divmod(position, count)
    return int(_epoch_order(seed, _ORDER + _TARGETS * of_targets, epoch, count)[place])


def evenly_spaced(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly spaced, starting with the first."""
    kept = min(count, most)
    return [place * count // kept for place in range(kept)]


@lru_cache(maxsize=8)
def _epoch_order(seed: int, purpose: int, epoch: int, count: int) -> NDArray[np.int64]:
    return _random(seed, purpose, epoch).permutation(count)


@lru_cache
def _stream(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _random(seed: int, purpose: int, *counter: int) -> np.random.Generator:
    """A counter-based generator (Salmon et al. 2011): its numbers are a function of key and counter."""
    words = [*counter, *([0] * (3 - len(counter)))]
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, *words]))
