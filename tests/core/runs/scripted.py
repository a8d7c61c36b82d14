"""Runs whose scores are written down beforehand, and that a listener may end or save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import genlab
from genlab import Run

PLUGIN = """
import genlab

STEP = [0]


class Clock(genlab.Listener):
    \"\"\"Knows the step, ends the training at one, and saves at others.

    Args:
        stop_at: the step.
        save_at: the others.
    \"\"\"

    def __init__(self, *, stop_at: int = 0, save_at: list[int] = []) -> None:
        self.stop_at, self.save_at = stop_at, save_at

    def started(self, event):
        STEP[0] = event.step

    def step(self, event):
        STEP[0] = event.step
        if event.step == self.stop_at:
            return genlab.StopTraining("the clock says so")
        return genlab.SaveCheckpoint() if event.step in self.save_at else None


class Told(genlab.Metric):
    \"\"\"Gives values that were written down, one for each step.

    Args:
        values: the values.
    \"\"\"

    higher_is_better = True

    def __init__(self, *, values: list[float]) -> None:
        self.values = values

    def update(self, condition, target, prediction): ...

    def compute(self):
        return self.values[STEP[0] - 1] if STEP[0] else 0.0

    def reset(self): ...

    def merge(self, other): ...


@genlab.hookimpl
def genlab_register(registry):
    registry.metric("told", Told)
    registry.listener("clock", Clock)
"""

VALUES = [0.1, 0.6, 0.3, 0.6, 0.2, 0.4, 0.5, 0.3]
SETTINGS = [
    f"evaluate={{metrics={{l1={{}}, told={{values={VALUES}}}}}, validations=8, pairs=1, previews=1, preview_pairs=1}}",
    'checkpoint={keep=1, best="validation/told"}',
    "listeners.clock={}",
]


def train(tiny: Path, out: Path, settings: Sequence[str] = (), **more: Any) -> Run:
    """Train eight steps; the best is that of the second."""
    plugin = out.with_name("scripted_scores.py")
    plugin.write_text(PLUGIN)
    return genlab.train(tiny, out=out, overrides=[*SETTINGS, *settings], plugins=[plugin], **more)


def train_with_choices(tiny: Path, folder: Path) -> None:
    """Train a run with checkpoints of the steps 2 (the best), 7, for which a listener asked, and 8."""
    folder.mkdir()
    train(tiny, folder / "run", ["checkpoint.keep=2", "listeners.clock.save_at=[5, 7]"])
