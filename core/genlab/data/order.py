"""Reproducible order of the pairs (shuffling) as a function of seed and position.

It is stateless, so batches do not depend on workers, on the batch size, or on where a run was resumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_ORDER, _AUGMENT = 0, 1
_TARGETS = 2
"""Distance from the purposes of pairs' and conditions' draws to those of targets without pairs."""


@dataclass(frozen=True)
class Draw:
    """Random draws for one position of the training: pair or image, epoch and augmentation.

    Args:
        index: index of the pair, or of the image among those of its side.
        epoch: number of completed epochs.
        top: vertical position of the crop, from 0 (top) to 1 (bottom).
        left: horizontal position of the crop, from 0 (left) to 1 (right).
        flip: whether to mirror it.
    """

    index: int
    epoch: int
    top: float
    left: float
    flip: bool


def draw(seed: int, position: int, count: int, *, of_targets: bool = False) -> Draw:
    """Draw for a position of the training, counted from 0 over all epochs of `count` pairs.

    Without pairs, conditions are drawn so, and targets `of_targets` by themselves.
    """
    epoch, index = position // count, pair_at(seed, position, count, of_targets=of_targets)
    top, left, flip = _random(seed, _AUGMENT + _TARGETS * of_targets, epoch, index).random(3)
    return Draw(index, epoch, float(top), float(left), bool(flip < 0.5))


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


def _random(seed: int, purpose: int, *counter: int) -> np.random.Generator:
    """A counter-based generator (Salmon et al. 2011): its numbers are a function of key and counter."""
    words = [*counter, *([0] * (3 - len(counter)))]
    return np.random.Generator(np.random.Philox(key=[seed, purpose], counter=[0, *words]))
