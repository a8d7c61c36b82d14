"""Scripted events for listeners."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genlab.engine.checkpoint_files import path_of
from genlab.engine.listener_list import Event
from genlab.interfaces.listener import (
    CheckpointSaved,
    Compared,
    Ended,
    Interval,
    Pictures,
    Previewed,
    Probed,
    SkipEffect,
    Started,
    Status,
    Step,
    StepMetrics,
    Trial,
    Validated,
)

STEPS = 8
_FIGURE = Interval(0.1, 0.2, 0.3)


def run_events(
    folder: Path,
    first: int = 0,
    last: int = STEPS,
    figure: float = 0.5,
    status: Status = "finished",
    with_metrics: bool = True,
) -> list[Event]:
    """Events of a run from one step to another: values at every other step, validations at every fourth.

    Args:
        folder: the run's.
        first: steps done before.
        last: steps done when it ends.
        figure: the value of every loss and metric.
        status: how it ends.
        with_metrics: whether the recipe has a metric.
    """
    events: list[Event] = [started(folder, first)]
    metrics = {f"{side}/l1": figure for side in ("validation", "train", "gap") if with_metrics}
    per_image = {"validation/l1": {"a pair": figure}} if with_metrics else {}
    if first == 0:
        events.append(Previewed(0, pictures()))
    for step in range(first + 1, last + 1):
        events.append(Step(step, values(figure) if step % 2 == 0 else None))
        if step % 4 == 0:
            events += [Validated(step, metrics, per_image), Previewed(step, pictures())]
    events.append(CheckpointSaved(last, path_of(folder / "checkpoints", last)))
    return [*events, Ended(last, status, 1.5, 2 if status == "interrupted" else None, metrics if last >= 4 else {})]


def started(folder: Path, step: int = 0) -> Started:
    """Start of a run, with a title that has to be escaped."""
    recipe = 'title = "Ünet, *labels* [v2]"\n\n[generator]\nname = "unet"\n'
    return Started(folder, "Ünet, *labels* [v2]", recipe, {"device": "cpu", "data": "3 pairs"}, step, STEPS, 1)


def values(figure: float) -> StepMetrics:
    """Values of a step, its losses equal to a figure."""
    norms = {"generator/encoder 1": abs(figure), "discriminator/layer 1": 0.0}
    losses = {"generator/l1": figure, "generator/adversarial": figure, "discriminator/adversarial": figure}
    return StepMetrics(losses, {"generator": 2e-4, "discriminator": 2e-4}, norms, norms, 8.5)


def pictures() -> Pictures:
    """Two pictures of each side."""
    condition, prediction, target = (np.full((2, 16, 24, 3), value, np.uint8) for value in (10, 120, 250))
    keys = ("façade 1.jpg", "nested/2.jpg")
    return Pictures(keys, condition, prediction, target, condition_caption="bands 4 3 2 of 8, 0 to 10000")


def ablation_events(folder: Path) -> list[Event]:
    """An ablation of two arms, one of them with a non-finite score."""
    arms = {"skips": True, "no-skips": False}
    trials = [
        Trial(arm, seed, folder / "trials" / arm / f"seed-{seed}", {"generator.skips": on})
        for arm, on in arms.items()
        for seed in (0, 1)
    ]
    for trial in trials:
        trial.folder.mkdir(parents=True, exist_ok=True)
    broken = Interval(math.nan, math.nan, math.nan)
    curves = {"validation/l1": {"skips": {4: _FIGURE, 8: _FIGURE}, "no-skips": {4: broken}}, "validation/psnr": {}}
    return [Compared(folder, list(curves), trials, curves, {arm: pictures() for arm in arms})]


def probe_events(folder: Path) -> list[Event]:
    """Probe of two skip connections."""
    effects = [
        SkipEffect(level, replacement, _FIGURE, _FIGURE, _FIGURE, pictures().prediction)
        for level in (1, 2)
        for replacement in ("cut", "shuffle", "average")
    ]
    norms = {"generator/encoder 1": 2.0, "generator/decoder 1": 0.0}
    return [Probed(folder, STEPS, 4, pictures(), effects, norms, norms, folder / "probe")]


def tail(events: Sequence[Event]) -> list[Event]:
    """End of a run without other events."""
    return [events[0], events[-1]]
