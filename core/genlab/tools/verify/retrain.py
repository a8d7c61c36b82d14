"""Steps of a run that are trained again, in a folder of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from genlab.assemble.experiment import Built
from genlab.engine.checkpoint_files import path_of
from genlab.engine.checkpoint_state import IntactCheckpoint, open_checkpoint
from genlab.engine.loop import train_loop
from genlab.engine.runtime import memory_errors
from genlab.interfaces.listener import Listener, Started, Step, Validated
from genlab.tools.verify.step_values import StepValues, values_of_step


class Retrained(NamedTuple):
    """Steps that were trained again.

    Args:
        values: of the steps.
        checkpoint: after the last one.
    """

    values: StepValues
    checkpoint: IntactCheckpoint


class _Recorder(Listener):
    """Listener that keeps the values of steps and validations."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        self.values: StepValues = {}
        self._on_step = on_step

    @override
    def step(self, event: Step) -> None:
        if event.values:
            self.values |= values_of_step(event.step, event.values)
        self._on_step(event.step)

    @override
    def validated(self, event: Validated) -> None:
        self.values |= {(event.step, name): value for name, value in event.metrics.items()}


def retrain(
    built: Built,
    run: str,
    start: IntactCheckpoint | None,
    end: int,
    folder: Path,
    on_step: Callable[[int], None],
) -> Retrained:
    """Train steps of a run again, without its listeners.

    Args:
        built: what is trained; its networks change.
        run: the run's id.
        start: the checkpoint to begin with; None for the first step.
        end: the last step.
        folder: an empty one, where the checkpoint after the last step is written.
        on_step: called with each step that is done.

    Raises:
        TrainingError: the training diverges, or ends before `end`.
    """
    recorder = _Recorder(on_step)
    settings = built.recipe.settings
    rarely = settings.checkpoint.model_copy(update={"minutes": math.inf, "keep": 1})
    experiment = replace(
        built.experiment,
        settings=replace(settings, checkpoint=rarely),
        listeners=[("verify", recorder)],
        run_id=run,
    )
    if start:  # the run went on from there, whatever asked for an end then
        start = start._replace(progress=start.progress.model_copy(update={"listeners": {}, "stop": None}))
    started = Started(
        folder=folder,
        title=built.recipe.title,
        recipe=built.recipe.toml(),
        facts={},
        step=start.progress.step if start else 0,
        steps=settings.train.steps,
        batch_size=settings.train.pairs_per_step,
    )
    with memory_errors():
        ended = train_loop(experiment, started, start, end)
    if ended.status == "interrupted":
        raise KeyboardInterrupt
    path = path_of(folder / "checkpoints", ended.step)
    return Retrained(recorder.values, open_checkpoint(path, run, optimizers=True))
