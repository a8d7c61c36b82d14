"""Seconds of a training step, by a short benchmark, and a record of what steps cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from genlab.ablation.identity import identity, key
from genlab.assemble.experiment import build
from genlab.assemble.recipe import Recipe
from genlab.config.document import Document
from genlab.config.schema import CostUnit
from genlab.engine.listener_list import ListenerList
from genlab.engine.runtime import memory_errors
from genlab.engine.step_kinds import mean_over_cycle, periods_of, step_kinds
from genlab.engine.training import Training
from genlab.engine.work import seconds_of
from genlab.errors import RunError
from genlab.runs.provenance import code_digests
from genlab.util.bounded import read_bounded
from genlab.util.files import write_json

_RECORD = TypeAdapter(dict[CostUnit, dict[str, Annotated[float, Field(gt=0)]]])
_WARM_UP, _ROUNDS = 2, 5


class StepCosts:
    """Costs of training steps, each measured once, so that a later call plans the same steps.

    Args:
        path: the file with the record, which may not exist yet.
        unit: in which they are measured.

    Raises:
        RunError: the record is damaged.
    """

    def __init__(self, path: Path, unit: CostUnit) -> None:
        self.path = path
        self.unit: CostUnit = unit
        self._record: dict[CostUnit, dict[str, float]] = {}
        if path.exists():
            try:
                self._record = _RECORD.validate_json(read_bounded(path))
            except (OSError, ValidationError) as error:
                hint = "Restore it, or remove it to measure anew: trials count as long as the steps stay the same."
                raise RunError("cannot be read as a record of what steps cost", where=str(path), hint=hint) from error

    def find(self, recipe: Recipe, measure: Callable[[], float]) -> float:
        """The recorded cost of a step of a recipe; without one it is measured. Seed and length make no difference."""
        known = self._record.setdefault(self.unit, {})
        name = key(identity(with_length(recipe, 1, seed=0).tables(), {}, code_digests(recipe)))
        if name not in known:
            known[name] = measure()
        return known[name]

    def save(self) -> None:
        """Write the record."""
        write_json(self.path, self._record)


def with_length(recipe: Recipe, steps: int, **changes: object) -> Recipe:
    """The recipe for a training of so many steps, with further changes of its settings."""
    train = recipe.settings.train.model_copy(update={"steps": steps})
    return replace(recipe, settings=replace(recipe.settings, train=train, **changes))


def measure_step_seconds(recipe: Recipe, document: Document) -> float:
    """Seconds of a training step on this machine, without validation and without what reads and writes files.

    They are the mean over a whole cycle, if phases or objectives take part in some steps only, of the fastest of a
    few steps of each kind, as whatever else the machine does can only slow them down.

    Raises:
        GenlabError: what a training would raise.
    """
    with memory_errors(), TemporaryDirectory() as folder:
        experiment = build(recipe, document).experiment
        kinds = step_kinds(periods_of(experiment.method))
        seconds: dict[int, list[float]] = {number: [] for number in kinds}
        training = Training(experiment, None, Path(folder), ListenerList([]), lambda: False)
        with training.ready() as batches:
            batch = next(batches)
            for _ in range(_WARM_UP + _ROUNDS):
                for number, taken in seconds.items():
                    # Of the second cycle, as values are always read in the first step.
                    training.step = kinds.total() + number - 1
                    step_batches = training.next_batches(repeat(batch))
                    taken.append(seconds_of(lambda given=step_batches: training.advance(given), experiment.device))
    return mean_over_cycle(kinds, lambda number: min(seconds[number][_WARM_UP:]))
