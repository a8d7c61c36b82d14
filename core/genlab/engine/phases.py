"""Schedule of a method's phases: which take part in a step, and how many batches a step takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from genlab.interfaces.batch import Batch
from genlab.interfaces.method import Phase


def due_phases(phases: Iterable[Phase], step: int) -> Sequence[Phase]:
    """The phases that take part in a step, counted from 0."""
    return [phase for phase in phases if step % phase.every == 0]


def fresh_batches(phases: Iterable[Phase], step: int) -> int:
    """Number of batches that a step takes besides its first."""
    return sum(phase.repeats - 1 for phase in due_phases(phases, step) if phase.fresh)


def batches_before(phases: Iterable[Phase], step: int) -> int:
    """Number of batches that all steps before this one take."""
    return step + sum((phase.repeats - 1) * -(-step // phase.every) for phase in phases if phase.fresh)


def repetitions(phase: Phase, batch: Batch, fresh: Iterator[Batch]) -> Iterator[Batch]:
    """The batches of a phase's updates after its first."""
    for repeat in range(1, phase.repeats):
        yield next(fresh) if phase.fresh else batch._replace(draws=batch.draws.repeated(repeat))
