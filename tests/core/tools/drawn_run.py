"""A run on drawn pairs, which predicts with dropout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import genlab

Once = Callable[[str, Callable[[Path], object]], Path]

TINY = Path(__file__).parents[2] / "assets" / "tiny.toml"


@pytest.fixture(scope="session")
def drawn_run(once: Once) -> Path:
    """The folder of a run of one step; do not change it."""
    given = ["train.steps=1", "inference.dropout=true", "data.test_count=2"]
    return once("drawn-run", lambda folder: genlab.train(TINY, overrides=given, out=folder))
