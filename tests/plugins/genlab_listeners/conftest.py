"""Events such as the engine tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genlab import Started, Step, StepMetrics


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder, with a name that needs care."""
    folder = tmp_path / "façades [v2] run"
    folder.mkdir()
    return folder


@pytest.fixture
def started(folder: Path) -> Callable[[int], Started]:
    def make(step: int) -> Started:
        return Started(
            folder=folder,
            title="Ünet",
            recipe="seed = 0\n",
            facts={"device": "cpu"},
            step=step,
            steps=100,
            batch_size=4,
        )

    return make


@pytest.fixture
def measured() -> Callable[..., Step]:
    """A step whose figures were read."""

    def make(step: int, loss: float = 0.5) -> Step:
        values = StepMetrics(
            losses={"generator/l1": loss},
            learning_rates={"generator": 2e-4},
            gradient_norms={"generator/encoder 1": 3.0},
            total_gradient_norms={"generator": 5.0},
            weight_norms={"generator/encoder 1": 20.0},
            images_per_second=8.5,
            waiting=0.25,
        )
        return Step(step, values)

    return make
