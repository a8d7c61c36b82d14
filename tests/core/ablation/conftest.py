"""An ablation of two arms on the tiny recipe."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.conftest import Once

import genlab

ARMS = """
extends = {tiny!r}
title = "Do skips matter?"

[ablation]
seeds = [0, 1]
baseline = "skips"
metric = "validation/l1"

[ablation.arms.skips]

[ablation.arms.no-skips]
generator.skips = false
"""


@pytest.fixture
def recipe(tiny: Path, tmp_path: Path) -> Path:
    path = tmp_path / "arms.toml"
    path.write_text(ARMS.format(tiny=str(tiny)))
    return path


@pytest.fixture(scope="session")
def whole(once: Once) -> Path:
    """An undisturbed ablation's folder, trained by two workers."""

    def build(folder: Path) -> None:
        folder.mkdir()
        tiny = Path(__file__).parents[2] / "assets" / "tiny.toml"
        (folder / "arms.toml").write_text(ARMS.format(tiny=str(tiny)))
        genlab.ablate(folder / "arms.toml", out=folder / "out", jobs=2)

    return once("ablation", build) / "out"


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A finished ablation that may be changed."""
    return Path(shutil.copytree(whole, tmp_path / "out"))
