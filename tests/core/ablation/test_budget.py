"""Ablations with a budget: arms that cost more are trained for fewer steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.conftest import GenCommand
from tests.core.ablation.test_ablate import Trained, ablate

import genlab
from genlab import RecipeError, RunError
from genlab.ablation import ablate as module
from genlab.ablation.ablate import Ablation
from genlab.ablation.budget import format_cost
from genlab.ablation.step_cost import measure_step_seconds
from genlab.assemble.dry_training import count_step_flops
from genlab.assemble.read import read_recipe
from genlab.assemble.recipe import Recipe

PLUGIN = """
import time

import torch
from torch import nn

import genlab


class Convolutions(genlab.Generator):
    '''Two convolutions, with so many channels between them, and a pause.'''

    def __init__(self, in_channels: int, out_channels: int, *, width: int = 2, pause: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.second = nn.Conv2d(width, out_channels, 3, padding=1)
        self.pause = pause

    def forward(self, condition):
        time.sleep(self.pause)
        return self.second(self.first(condition))


class Scaled(genlab.Generator):
    '''One weight, without a matrix product.'''

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, condition):
        return condition * self.weight


class Peeking(Convolutions):
    '''Looks at a value, which only a real image has.'''

    def forward(self, condition):
        return super().forward(condition) if float(condition.mean()) < 2 else condition


class Broken(Convolutions):
    def forward(self, condition):
        return super().forward(condition).detach()


class Phased(genlab.Method):
    '''A second phase, of every second step, with three updates of batches of their own.'''

    def forward(self, batch):
        return {"prediction": self.networks["generator"](batch.condition).tanh()}

    def predict(self, condition):
        return self.networks["generator"](condition).tanh()

    def phases(self):
        return [
            genlab.Phase("first", ("generator",), self.of_all),
            genlab.Phase("second", ("generator",), self.of_its_own, every=2, repeats=3, fresh=True),
        ]

    def of_all(self, batch, outputs):
        return {"l1": genlab.Term((outputs["prediction"] - batch.target).abs().mean(), 1.0)}

    def of_its_own(self, batch, outputs):
        return {"l1": genlab.Term((self.predict(batch.condition) - batch.target).abs().mean(), 1.0)}


@genlab.hookimpl
def genlab_register(registry):
    for cls in (Convolutions, Scaled, Peeking, Broken):
        registry.generator(cls.__name__.lower(), cls)
    registry.method("phased", Phased)
"""
ARMS = """
extends = {tiny!r}
title = "Is a wide one worth it?"

[input]
size = 16

[generator]
name = "convolutions"

[losses]
adversarial = false

[evaluate]
validations = 2
previews = 1

[ablation]
seeds = [0, 1]
baseline = "narrow"
budget = {budget}

[ablation.arms.narrow]

[ablation.arms.wide]
generator.width = 6
"""
PRODUCT = 2 * 16 * 16 * 9 * 3
"""Operations of one of the convolutions for each channel between them: 3 x 3 taps, three channels, 16 x 16 pixels."""
FORWARD, BACKWARD = 2 * PRODUCT, 3 * PRODUCT
"""Two convolutions; then of both the gradients of their weights, and of the second that of its input."""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "plugin.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def recipe(tiny: Path, tmp_path: Path) -> Callable[[str], Path]:
    def write(budget: str) -> Path:
        path = tmp_path / "arms.toml"
        path.write_text(ARMS.format(tiny=str(tiny), budget=budget))
        return path

    return write


@pytest.fixture
def planned(recipe: Callable[[str], Path], plugin: Path, tmp_path: Path) -> Callable[..., Ablation]:
    def plan(budget: str, *overrides: str) -> Ablation:
        return Ablation(recipe(budget), tmp_path / "out", overrides=overrides, plugins=[plugin])

    return plan


@pytest.fixture
def faults(planned: Callable[..., Ablation]) -> Callable[..., list[str]]:
    def told(budget: str, *overrides: str) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            planned(budget, *overrides)
        return [str(fault) for fault in caught.value.faults]

    return told


def steps(ablation: Ablation) -> dict[str, int]:
    return {arm: ablation.plan.steps(arm) for arm in ablation.plan.arms}


def test_three_times_the_operations_leave_a_third_of_the_steps(planned) -> None:
    made = planned(str(10.5 * 6 * (FORWARD + BACKWARD)))
    assert made.plan.step_costs == {"narrow": 2 * (FORWARD + BACKWARD), "wide": 6 * (FORWARD + BACKWARD)}
    assert steps(made) == {"narrow": 31, "wide": 10}
    assert [settled.recipe.settings.train.steps for settled in made.trials] == [31, 31, 10, 10]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a step took an eighth of a second for each channel."""

    def measure(recipe: Recipe, _document: object) -> float:
        return recipe.networks["generator"].settings["width"] / 8

    monkeypatch.setattr(module, "measure_step_seconds", measure)


@pytest.mark.usefixtures("measured")
def test_the_command_line_counts_seconds_instead(planned) -> None:
    made = planned("1e9", "ablation.budget=3.1", "ablation.budget_unit=seconds")
    assert steps(made) == {"narrow": 12, "wide": 4}


@pytest.mark.usefixtures("measured")
def test_three_times_the_seconds_leave_a_third_of_the_steps(planned) -> None:
    made = planned('3.1\nbudget_unit = "seconds"')
    assert made.plan.step_costs == {"narrow": 0.25, "wide": 0.75}
    assert steps(made) == {"narrow": 12, "wide": 4}


def test_the_seconds_are_those_of_steps(recipe, plugin: Path) -> None:
    checked = read_recipe(recipe('1\nbudget_unit = "seconds"'), overrides=["generator.pause=0.02"], plugins=[plugin])
    assert measure_step_seconds(checked.recipe, checked.document) >= 0.02


def test_a_cycle_counts_phases_by_how_often_they_take_part(planned, recipe, plugin: Path) -> None:
    checked = read_recipe(recipe("1e9"), overrides=["method.name=phased"], plugins=[plugin])
    first = FORWARD + BACKWARD
    # The second phase predicts for itself; its repeated updates also have the shared prediction of their batch.
    second = (FORWARD + BACKWARD) + 2 * (FORWARD + FORWARD + BACKWARD)
    expected = 2 * (first + second / 2)
    assert count_step_flops(checked.recipe, (3, 3), checked.document) == expected


def test_a_component_that_looks_at_values_is_counted_too(planned) -> None:
    assert steps(planned("1e9", "generator.name=peeking")) == steps(planned("1e9"))


@pytest.mark.usefixtures("measured")
def test_what_a_plan_shows_is_trained_and_a_second_call_measures_and_trains_nothing(
    recipe, plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out, overrides = recipe('1\nbudget_unit = "seconds"'), tmp_path / "out", ["ablation.seeds=[0]"]
    shown = Ablation(path, out, overrides=overrides, plugins=[plugin])

    def measure(*_given: object) -> float:
        raise AssertionError("it measures again")

    monkeypatch.setattr(module, "measure_step_seconds", measure)
    result = ablate(path, out=out, overrides=overrides, plugins=[plugin])
    assert result.is_complete
    assert result.plan.step_costs == shown.plan.step_costs
    lengths = {arm: genlab.open_run(out / "trials" / arm / "seed-0").manifest.steps for arm in ("narrow", "wide")}
    assert lengths == {"narrow": 4, "wide": 1}
    assert f"steps = {lengths['wide']}" in (out / "planned" / "wide.seed-0.toml").read_text()

    trained = Trained()
    again = ablate(path, out=out, overrides=overrides, plugins=[plugin], on_event=trained)
    assert not trained.ended
    assert again.plan.step_costs == result.plan.step_costs
    Ablation(path, out, overrides=[*overrides, "ablation.seeds=[1]"], plugins=[plugin])  # a seed costs what others do
    with pytest.raises(AssertionError, match="it measures again"):
        ablate(path, out=out, overrides=[*overrides, "generator.width=3"], plugins=[plugin])


def test_an_arm_with_other_code_has_its_cost_counted_anew(planned, plugin: Path) -> None:
    budget = str(24 * (FORWARD + BACKWARD))
    before = planned(budget)
    plugin.write_text(PLUGIN.replace("width: int = 2", "width: int = 4"))
    assert planned(budget).plan.step_costs["narrow"] == 2 * before.plan.step_costs["narrow"]


def test_the_report_shows_scores_by_what_they_cost(recipe, plugin: Path, tmp_path: Path) -> None:
    path, seed = recipe(str(4 * 6 * (FORWARD + BACKWARD))), "ablation.seeds=[0]"
    ablate(path, out=tmp_path / "out", overrides=[seed], plugins=[plugin])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["budget"], report["budget_unit"]) == (4 * 6 * (FORWARD + BACKWARD), "flops")
    assert [report["arms"][arm]["steps"] for arm in ("narrow", "wide")] == [12, 4]
    assert report["arms"]["wide"]["step_cost"] == 6 * (FORWARD + BACKWARD)
    assert report["arms"]["wide"]["cost"] == 4 * 6 * (FORWARD + BACKWARD)
    for name in ("report.md", "report.html"):
        page = (tmp_path / "out" / name).read_text()
        assert "Quality against cost" in page
        assert format_cost(6 * (FORWARD + BACKWARD), "flops") in page
    assert "MFLOP" in (tmp_path / "out" / "report.html").read_text().split("Quality against cost")[1].split("</svg>")[0]


def test_the_plan_shows_what_a_step_costs(recipe, plugin: Path, gen: GenCommand) -> None:
    path = recipe(str(4 * 6 * (FORWARD + BACKWARD)))
    told = gen("ablate", path, "--plan", "--plugin", plugin)
    assert told.returncode == 0, told.stderr
    (row,) = [line.split() for line in told.stderr.splitlines() if line.startswith("wide")]
    assert row[-3:] == ["415", "kFLOP", "4"]
    arms = json.loads(gen("ablate", path, "--plan", "--plugin", plugin, "--json").stdout)["arms"]
    assert arms["narrow"]["steps"] == 12


def test_a_budget_too_small_for_a_step_names_the_arm_and_what_would_do(faults) -> None:
    (told,) = faults("300_000")
    assert "arms.toml:" in told
    assert "a step of the arm `wide` costs 415 kFLOP, more than the budget of 300 kFLOP" in told
    assert "415 kFLOP pay for one step of every arm" in told


@pytest.mark.parametrize(
    ("budget", "overrides", "expected"),
    [
        ("1e9", ["ablation.arms.wide.train.steps=5"], ["the arm `wide` sets its length"]),
        ("1e9", ["train.steps=5"], ["the length of the trainings is set, and the budget decides it"]),
        ("0", [], ["`budget`: expected a number above 0, got 0"]),
        ("{ flops = 1e9 }", [], ["`budget`: expected a number above 0, got"]),
        ("1e9", ["ablation.budget_unit=minutes"], ['`budget_unit`: expected "flops" or "seconds", got "minutes"']),
    ],
)
def test_a_budget_that_is_none_is_refused(faults, budget: str, overrides: Sequence[str], expected: list[str]) -> None:
    told = "\n".join(faults(budget, *overrides))
    assert all(words in told for words in expected), told


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scaled", "a step of the arm `other` has no matrix products or convolutions"),
        (
            "broken",
            "a step of the arm `other` could not be measured: no term of the phase generator has a gradient",
        ),
    ],
)
def test_an_arm_without_a_price_is_named(faults, name: str, expected: str) -> None:
    (told,) = faults("1e9", f"ablation.arms.other.generator.name={name}")
    assert expected in told


def test_a_damaged_record_is_named(planned, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "step_costs.json").write_text('{"flops": {"a": -1}}')
    with pytest.raises(RunError, match=r"step_costs.json: cannot be read") as caught:
        planned("1e9")
    assert "measure anew" in caught.value.hint


def test_a_recipe_that_is_only_checked_is_not_measured(recipe, plugin: Path) -> None:
    genlab.check(recipe("1"), plugins=[plugin])
    with pytest.raises(RecipeError, match="expected a number above 0"):
        genlab.check(recipe("0"), plugins=[plugin])


def test_a_cost_is_shown_with_three_figures() -> None:
    assert format_cost(86_940_000_000, "flops") == "86.9 GFLOP"
    assert format_cost(999, "flops") == "999 FLOP"
    assert format_cost(0.5234, "seconds") == "0.523 s"
