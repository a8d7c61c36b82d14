"""Kinds of steps of a training, which differ in the phases and objectives that take part."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from genlab.interfaces.loss import Objective
from genlab.interfaces.method import Method

_LONGEST = 10_000
"""Steps of a cycle to look at; the shares in a longer one are about the same."""


def periods_of(method: Method) -> set[int]:
    """The periods in steps of what a method computes: of its phases, and of the objectives in them."""
    objectives = (loss for loss, _ in method.losses.values() if isinstance(loss, Objective))
    return {*(phase.every for phase in method.phases()), *(objective.every for objective in objectives)}


def step_kinds(periods: Iterable[int]) -> Counter[int]:
    """Count the steps of each kind in a whole cycle, by the number of the kind's first step, from 1."""
    periods = set(periods)
    first: dict[frozenset[int], int] = {}
    counts: Counter[int] = Counter()
    for number in range(1, min(math.lcm(*periods), _LONGEST) + 1):
        due = frozenset(period for period in periods if number % period == 0)
        counts[first.setdefault(due, number)] += 1
    return counts


def mean_over_cycle(kinds: Counter[int], cost_of: Callable[[int], float]) -> float:
    """Mean cost of a step over a whole cycle, from the cost of one step of each kind, by its number."""
    return sum(count * cost_of(number) for number, count in kinds.items()) / kinds.total()
