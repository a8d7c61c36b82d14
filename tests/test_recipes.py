"""Every recipe that ships is sound, and trains."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import genlab
from genlab.recipe.shipped import shipped_names

SMALL = (
    'data={name="drawn_facades", count=4, validation_count=2, size=72}',
    "input.size=64",
    "generator.levels=6",
    "generator.channels=8",
    "evaluate.pairs=2",
    "train.steps=2",
    "train.device=cpu",
)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_has_no_faults(name: str, gen: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    checked = gen("check", name)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_trains_two_steps_on_drawn_facades(name: str, tmp_path: Path) -> None:
    run = genlab.train(name, set=SMALL, out=tmp_path / "run")
    assert run.manifest.status == "finished"
    assert math.isfinite(run.metrics["validation/l1"])
    assert (tmp_path / "run" / "previews" / "000002.png").is_file()
    assert any((tmp_path / "run" / "tensorboard").iterdir())
