"""A training on one batch: it drives the losses of sound recipes down, and says what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import GenCommand

import genlab
from genlab import TrainingError

FACADES = 'data={name="drawn_facades", count=4, validation_count=2, size=36}'
PLUGIN = """
import torch
from torch import nn

import genlab


class Deaf(genlab.Generator):
    '''Gives what it is given, whatever its weights are.'''

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, condition):
        return condition + 0 * self.layer(condition)


class Severed(Deaf):
    def forward(self, condition):
        return self.layer(condition).detach()


class OwnTerms(genlab.Method):
    '''Compares by itself, without a loss of the recipe.'''

    def forward(self, batch):
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition):
        return self.networks["generator"](condition).tanh()

    def phases(self):
        return [genlab.Phase("generator", ("generator",), self.terms)]

    def terms(self, batch, outputs):
        return {"own distance": genlab.Term((outputs["prediction"] - batch.target).square().mean(), 1.0)}


@genlab.hookimpl
def genlab_register(registry):
    registry.generator("deaf", Deaf)
    registry.generator("severed", Severed)
    registry.method("own_terms", OwnTerms)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def failure(tiny: Path, plugin: Path) -> Callable[..., TrainingError]:
    def told(*overrides: str, steps: int = 12) -> TrainingError:
        with pytest.raises(TrainingError) as caught:
            genlab.overfit(tiny, overrides=overrides, plugins=[plugin], steps=steps)
        return caught.value

    return told


def test_the_tiny_recipe_learns_a_batch_by_heart(tiny: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = genlab.overfit(
        tiny, overrides=["optimizer.learning_rate=5e-3"], on_progress=lambda *call: calls.append(call)
    )
    assert list(found.losses) == ["generator/l1"]
    assert found.losses["generator/l1"].last <= 0.75 * found.losses["generator/l1"].first
    assert 5 < found.steps < 300
    assert calls[0] == (1, 300)
    assert calls[-1] == (300, 300)


def test_the_parts_of_the_small_main_recipe_learn_a_batch_by_heart() -> None:
    small = [FACADES, "input.size=32", "generator.levels=5", "generator.channels=8", "discriminator.receptive_field=16"]
    assert genlab.overfit("unet_facades_small", overrides=[*small, "train.batch_size=2"]).steps < 150


@pytest.mark.parametrize(
    ("recipe", "overrides", "terms"),
    [
        ("bridge_facades_small", ["train.batch_size=4", "generator.channels=16"], ["generator/l2"]),
        (
            "cyclegan_facades_small",
            ["generator.channels=8", "generator.blocks=1", "optimizer.learning_rate=2e-3"],
            ["generators/forward/cycle", "generators/back/cycle"],
        ),
    ],
)
def test_other_methods_learn_a_batch_by_heart(recipe: str, overrides: list[str], terms: list[str]) -> None:
    found = genlab.overfit(recipe, overrides=[FACADES, "input.size=32", *overrides])
    assert list(found.losses) == terms


def test_terms_of_a_method_s_own_must_fall_where_no_loss_compares(tiny: Path, plugin: Path) -> None:
    mine = ["method.name=own_terms", "losses.l1=false", "losses.adversarial=false", "optimizer.learning_rate=5e-3"]
    assert list(genlab.overfit(tiny, overrides=mine, plugins=[plugin]).losses) == ["generator/own distance"]


def test_a_learning_rate_of_next_to_nothing_moves_no_weight(failure) -> None:
    error = failure("optimizer.learning_rate=1e-9", "losses.adversarial=false")
    assert "12 steps on a single batch did not drive the loss down: generator/l1 was 0.3" in error.what
    assert "The weights of the generator moved by" in error.hint
    assert "raise the learning rate" in error.hint


@pytest.mark.parametrize("others", [True, False])
def test_a_loss_of_next_to_no_weight_is_named(failure, others: bool) -> None:
    error = failure("losses.l1.weight=1e-12", *([] if others else ["losses.adversarial=false"]))
    assert "generator/l1" in error.what
    assert "losses.l1.weight" in error.hint
    assert ("of what its phase minimizes" in error.what) == others


@pytest.mark.parametrize(
    ("name", "expected", "hint"),
    [
        ("deaf", "all gradients of the generator are 0", "Does its output depend on its weights?"),
        ("severed", "no term of the phase generator has a gradient", "are they all detached?"),
    ],
)
def test_an_output_that_does_not_depend_on_the_weights_is_found_in_the_first_step(
    failure, name, expected, hint
) -> None:
    error = failure(f"generator.name={name}", "losses.adversarial=false", steps=10_000)
    assert expected in str(error)
    assert hint in str(error)


def test_a_game_alone_need_not_fall(failure) -> None:
    error = failure("losses.l1=false", steps=10_000)
    assert "no loss compares a prediction with a target" in error.what
    assert "--set losses.l1.weight" in error.hint


def test_weights_that_move_to_no_avail_get_another_hint(failure) -> None:
    error = failure("optimizer.learning_rate=0.5", "losses.adversarial=false")
    assert "lower the learning rate" in str(error)


def test_the_command_says_so_and_leaves_no_files(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    quick = ["--set", "losses.adversarial=false", "--set", "optimizer.learning_rate=5e-3"]
    told = gen("check", tiny, "--overfit", *quick, TMPDIR=str(tmp_path / "temporary"), GENLAB_CACHE="off")
    assert told.returncode == 0, told.stderr
    assert "OK (data not checked)" in told.stdout
    assert "overfit: OK (" in told.stdout
    assert list(tmp_path.rglob("*")) == [tmp_path / "temporary"]


def test_the_command_fails_with_a_hint(gen: GenCommand, tiny: Path) -> None:
    told = gen("check", tiny, "--overfit", "--set", "losses.l1=false")
    assert told.returncode == 1
    assert "no loss compares" in told.stderr
    assert "Traceback" not in told.stderr
