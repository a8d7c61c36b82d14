"""Events such as a run tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
from genlab import Started, Step, StepMetrics

from genlab_csv.listener import CSV


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder, with a name that needs care."""
    folder = tmp_path / "façades, [v2] run"
    folder.mkdir()
    return folder


@pytest.fixture
def begin(folder: Path) -> Callable[..., CSV]:
    """A listener that has heard that the run starts, or goes on after a step."""

    def make(step: int = 0, **settings: bool) -> CSV:
        listener = CSV(**settings)
        listener.started(Started(folder, "Ünet", "seed = 0\n", {"device": "cpu"}, step, steps=100, batch_size=4))
        return listener

    return make


@pytest.fixture
def measured() -> Callable[..., Step]:
    """A step whose figures were read."""

    def make(step: int, loss: float = 0.5) -> Step:
        values = StepMetrics(
            losses={"generator/l1": loss},
            learning_rates={"generator": 2e-4},
            gradient_norms={"generator/encoder 1": 3.0},
            weight_norms={"generator/encoder 1": 20.0},
            images_per_second=8.5,
            waiting=0.25,
        )
        return Step(step, values)

    return make


@pytest.fixture
def read(folder: Path) -> Callable[[], pandas.DataFrame]:
    """What pandas makes of the run's file."""

    def frame() -> pandas.DataFrame:
        return pandas.read_csv(folder / "metrics.csv", parse_dates=["time"])

    return frame
