"""Schedule of a method's phases: which take part in a step, and how many batches a step takes.

Where updates average over several batches, a step takes as many times that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Phase
from genlab.interfaces.position import Position


def due_phases(phases: Iterable[Phase], position: Position) -> Sequence[Phase]:
    """The phases that take part in the step at a position."""
    return [phase for phase in phases if position.is_due(phase.every)]


def step_batches(phases: Iterable[Phase], position: Position) -> int:
    """Number of batches that the step at a position takes."""
    return 1 + sum(phase.repeats - 1 for phase in due_phases(phases, position) if phase.fresh)


def most_batches(phases: Iterable[Phase]) -> int:
    """The most batches that a step takes."""
    return 1 + sum(phase.repeats - 1 for phase in phases if phase.fresh)


def batches_before(phases: Iterable[Phase], step: int) -> int:
    """Number of batches that all steps before this one take."""
    return step + sum((phase.repeats - 1) * (step // phase.every) for phase in phases if phase.fresh)


def repetitions(phase: Phase, batches: Sequence[Batch], fresh: Iterator[Batch]) -> Iterator[Sequence[Batch]]:
    """The batches of each of a phase's updates after its first, as many as those of the first."""
    for repeat in range(1, phase.repeats):
        if phase.fresh:
            yield [next(fresh) for _ in batches]
        else:
            yield [batch._replace(draws=batch.draws.repeated(repeat)) for batch in batches]
