"""Settings that predictions of several images have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from genlab.interfaces.dataset import SideName
from genlab.runs.direction import Direction
from genlab.runs.prediction_size import PredictionSize
from genlab.runs.run import Run


class PredictionTask(NamedTuple):
    """Run and settings to predict several images with.

    Args:
        run: the run.
        out: the folder for the predictions.
        size: the size to resize images to.
        to: the side to predict; None for the target.
        overwrite: whether files that are there already may be replaced.
        on_progress: called with (done, total), in images.
    """

    run: Run
    out: Path
    size: PredictionSize
    to: SideName | None
    overwrite: bool
    on_progress: Callable[[int, int], None]

    @property
    def direction(self) -> Direction:
        """The direction to predict in."""
        return self.run.direction(self.to)
