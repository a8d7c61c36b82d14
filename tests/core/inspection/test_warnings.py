"""Suspicions where a person sees them before hours are spent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import GenCommand

REMEDY = "Set input.range_b = [0, 1]."


@pytest.fixture
def masks(tmp_path: Path) -> list[str]:
    """Settings for photos and masks of 0 and 1."""
    random = np.random.default_rng(0)
    for split in ("train", "val"):
        for side, most in (("A", 256), ("B", 2)):
            (tmp_path / side / split).mkdir(parents=True)
            for number in range(4):
                image = random.integers(0, most, (32, 32), dtype=np.uint8)
                Image.fromarray(image).save(tmp_path / side / split / f"{number}.png")
    return ["--set", f"data={{name='two_folders', root='{tmp_path}'}}"]


def test_a_run_and_its_resume_warn_in_their_headers(
    gen: GenCommand, tiny: Path, masks: list[str], tmp_path: Path
) -> None:
    started = gen("run", tiny, *masks, "--set", "listeners.console={}", "--out", "run", "--stop-at", "1")
    assert started.returncode == 0, started.stderr
    assert "warning" in started.stderr and REMEDY in started.stderr
    assert REMEDY in json.loads((tmp_path / "run" / "run.json").read_text())["facts"]["warning"]
    assert REMEDY in gen("resume", "run").stderr


def test_an_ablation_s_plan_warns_once_for_all_trials_that_have_it(
    gen: GenCommand, tiny: Path, masks: list[str], tmp_path: Path
) -> None:
    recipe = tmp_path / "ablation.toml"
    arms = '[ablation]\nseeds = [0, 1]\nbaseline = "as-it-is"\n[ablation.arms.as-it-is]\n[ablation.arms.ranged]\n'
    recipe.write_text(f'extends = "{tiny}"\n{arms}input.range_b = [0, 1]\n')
    plan = gen("ablate", recipe, *masks, "--plan")
    assert plan.stderr.count(REMEDY) == 1, plan.stderr
    (warning,) = json.loads(gen("ablate", recipe, *masks, "--plan", "--json").stdout)["warnings"]
    assert REMEDY in warning


def test_sound_pairs_are_trained_on_without_a_word(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    started = gen("run", tiny, "--set", "listeners.console={}", "--stop-at", "1")
    assert started.returncode == 0 and "paused at step 1" in started.stderr
    assert "warning" not in started.stderr


def test_nothing_is_said_of_the_real_facades(gen: GenCommand, tiny: Path, facades: Path) -> None:
    data = ["--set", f"data={{name='side_by_side', root='{facades}'}}"]
    shown = gen("data", tiny, *data)
    started = gen("run", tiny, *data, "--set", "listeners.console={}", "--stop-at", "1")
    assert (shown.returncode, started.returncode) == (0, 0), started.stderr
    assert "train a" in shown.stdout and "paused at step 1" in started.stderr
    assert "warning" not in shown.stdout + started.stderr
