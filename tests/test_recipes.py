"""Every recipe that ships is sound, and trains."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.conftest import GenCommand

import genlab
from genlab.config.builtin import shipped_names
from genlab.config.load import load_recipe
from genlab_facades.classes import PALETTE

FACADES = '{name="drawn_facades", count=4, validation_count=2, size=72}'
SMALL = (
    "generator.channels=8",
    "evaluate.pairs=2",
    "train.steps=2",
    "train.device=cpu",
)


OF_GENERATOR = {"genlab:resnet": "generator.blocks=1"}
"""What makes a generator small; of others, fewer levels."""

PAIRS = [f"data={FACADES}", "input.size=64"]
OF_RECIPE = {
    "colorization_facades": [f'data={{name="gray", source={FACADES}}}', "input.size=64"],
    "pix2pixhd_facades": [*PAIRS, "discriminator.receptive_field=16"],
    "super_resolution_facades": [f'data={{name="one_side", source={FACADES}}}', "input.size=16"],
}
"""What makes images small, and a discriminator that takes them."""


def small(name: str) -> list[str]:
    """A recipe at a size that trains in a blink."""
    generator = load_recipe(name).values["generator"]["name"]
    return [*SMALL, OF_GENERATOR.get(generator, "generator.levels=6"), *OF_RECIPE.get(name, PAIRS)]


def judged(name: str, judge: Path) -> list[str]:
    """What a recipe needs whose predictions a judge reads."""
    metrics = load_recipe(name).values["evaluate"]["metrics"]
    return [f"evaluate.metrics.label_recovery.judge={judge}"] if "label_recovery" in metrics else []


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_has_no_faults(name: str, judge: Path) -> None:
    genlab.check(name, overrides=judged(name, judge))


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_predicts_by_the_statistics_that_suit_its_batch_size(name: str, judge: Path) -> None:
    settings = genlab.check(name, overrides=judged(name, judge)).recipe.settings
    assert settings.inference.normalization == ("image" if settings.train.batch_size == 1 else "running")


def test_a_recipe_that_needs_a_judge_says_how_to_train_one(gen: GenCommand) -> None:
    told = gen("check", "ablation_losses_small")
    assert told.returncode == 2
    assert "gen run label_judge --out" in told.stderr
    assert "label_judge_small" in told.stderr


def test_the_judge_reads_the_classes_of_the_facades_that_are_drawn() -> None:
    labeled, drawn = load_recipe("label_judge").values["data"]["sources"]
    assert [tuple(color) for color in labeled["palette"]] == list(PALETTE)
    assert drawn["name"] == "genlab:drawn_facades"


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_trains_two_steps_on_drawn_facades(name: str, judge: Path, tmp_path: Path) -> None:
    run = genlab.train(name, overrides=[*small(name), *judged(name, judge)], out=tmp_path / "run")
    assert run.manifest.status == "finished"
    assert any(figure.startswith("validation/") for figure in run.metrics)
    assert all(math.isfinite(value) for value in run.metrics.values())
    assert (tmp_path / "run" / "previews" / "000002.png").is_file()
    assert any((tmp_path / "run" / "tensorboard").iterdir())
