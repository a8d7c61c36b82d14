"""From `[ablation]` to trials, and what is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlab import RecipeError
from genlab.ablation.plan import Plan, make_plan
from genlab.config.document import read_document
from genlab.config.load import load_recipe
from genlab.config.overrides import read_assignments
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins

COMPONENTS = Components(find_plugins())
SKIPS = """
[ablation]
seeds = [0, 3]
baseline = "skips"
metric = "validation/l1"

[ablation.arms.skips]

[ablation.arms.no-skips]
generator.skips = false
"""


@pytest.fixture
def plan(tiny: Path):
    """The plan of the tiny recipe with an `[ablation]`, and assignments over both."""

    def make(text: str, *assignments: str) -> Plan:
        document = read_document(text, "arms.toml").over(load_recipe(tiny))
        return make_plan(read_assignments(assignments).over(document), COMPONENTS)

    return make


@pytest.fixture
def faults(plan):
    """What is wrong with it."""

    def told(text: str, *assignments: str) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            plan(text, *assignments)
        return [str(fault) for fault in caught.value.faults]

    return told


def with_arms(arms: str, **changes: str) -> str:
    keys = {"seeds": "[0]", "baseline": '"a"', "metric": '"validation/l1"', **changes}
    head = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"[ablation]\n{head}\n{arms}"


def test_every_arm_is_made_with_every_seed(plan) -> None:
    made = plan(SKIPS)
    assert [str(trial) for trial in made.trials] == [
        "skips, seed 0",
        "skips, seed 3",
        "no-skips, seed 0",
        "no-skips, seed 3",
    ]
    assert [trial.recipe.networks["generator"].settings["skips"] for trial in made.trials] == [True, True, False, False]
    assert [trial.recipe.settings.seed for trial in made.trials] == [0, 3, 0, 3]
    assert made.arms == ["skips", "no-skips"]
    assert made.metrics == ["validation/l1"]


def test_what_is_set_on_the_command_line_lies_under_the_arms(plan) -> None:
    made = plan(SKIPS, "train.steps=3", "generator.skips=[1]")
    assert {trial.recipe.settings.train.steps for trial in made.trials} == {3}
    assert [made.of(arm)[0].recipe.networks["generator"].settings["skips"] for arm in made.arms] == [[1], False]


def test_seeds_can_be_set_too(plan) -> None:
    assert len(plan(SKIPS, "ablation.seeds=[1,2,3]").trials) == 6


def test_axes_multiply(plan) -> None:
    axes = SKIPS.replace('"skips"\n', '"skips_l1+cgan"\n') + (
        "[ablation.axes.objective.l1]\nlosses.adversarial.weight = 0\n[ablation.axes.objective.'l1+cgan']\n"
    )
    made = plan(axes)
    assert made.arms == ["skips_l1+cgan", "skips_l1", "no-skips_l1", "no-skips_l1+cgan"]
    assert [("discriminator" in made.of(arm)[0].recipe.networks) for arm in made.arms] == [True, False, False, True]


def test_axes_alone_are_arms(plan) -> None:
    axes = "[ablation.axes.rate.low]\noptimizer.learning_rate = 1e-5\n[ablation.axes.rate.high]\n"
    assert plan(with_arms(axes, baseline='"high"')).arms == ["high", "low"]


def test_another_component_starts_from_its_own_defaults(plan) -> None:
    arms = '[ablation.arms.a]\n[ablation.arms.b]\ngenerator = { name = "encoder_decoder", levels = 4 }\n'
    settings = plan(with_arms(arms)).of("b")[0].recipe.networks["generator"].settings
    assert (settings["levels"], settings["channels"]) == (4, 64)


# What is refused


def test_an_override_of_a_key_that_does_not_exist_is_shown_where_it_stands(faults) -> None:
    (fault,) = faults(SKIPS.replace("skips = false", "skip = false"))
    assert fault.startswith('arms.toml:10:1: generator "unet" has no setting `skip`')
    assert "generator.skip = false" in fault
    assert "Did you mean `skips`?" in fault


def test_faults_of_all_arms_come_at_once_and_those_of_all_alike_once(faults) -> None:
    arms = "[ablation.arms.a]\n[ablation.arms.b]\ntrain.step = 1\n[ablation.arms.c]\ngenerator.levels = 'x'\n"
    assert len(faults(with_arms(arms))) == 2
    (fault,) = faults(SKIPS, "train.step=1")
    assert "--set train.step=1" in fault


def test_an_arm_that_changes_nothing(faults) -> None:
    (fault,) = faults(SKIPS.replace("skips = false", "skips = true"))
    assert "the arm `no-skips` is the same experiment as `skips`" in fault
    assert fault.startswith("arms.toml:9:2")


def test_an_empty_arm_beside_the_baseline(faults) -> None:
    (fault,) = faults(SKIPS.replace("generator.skips = false", ""))
    assert "the arm `no-skips` is the same experiment as `skips`" in fault


def test_two_arms_that_are_equal_though_written_differently(faults) -> None:
    arms = "[ablation.arms.a]\n[ablation.arms.d]\ntrain.steps = 5\n"
    arms += "[ablation.arms.e]\ntrain = { steps = 5 }\ntitle = 'x'\n"
    (fault,) = faults(with_arms(arms))
    assert "the arm `e` is the same experiment as `d`" in fault


def test_an_unknown_baseline(faults) -> None:
    (fault,) = faults(SKIPS.replace('baseline = "skips"', 'baseline = "skip"'))
    assert "unknown arm `skip`; the arms are skips, no-skips" in fault
    assert "Did you mean `skips`?" in fault
    assert fault.startswith("arms.toml:4:12")


@pytest.mark.parametrize("key", ["metric", "metrics"])
def test_an_unknown_metric(faults, key: str) -> None:
    value = '"validation/l2"' if key == "metric" else '["train/l1", "validation/l2"]'
    (fault,) = faults(with_arms("[ablation.arms.a]\n[ablation.arms.b]\ntrain.steps = 3\n", **{key: value}))
    assert "no arm measures `validation/l2`" in fault
    assert "Did you mean `validation/l1`?" in fault


def test_a_metric_of_several_figures_is_named_with_one_of_them(plan, faults) -> None:
    judged = '[evaluate.metrics.label_recovery]\njudge = "runs/judge"\n'
    arms = f"{judged}[ablation.arms.a]\n[ablation.arms.b]\ntrain.steps = 3\n"
    name = "validation/label_recovery/class_iou"
    assert plan(with_arms(arms, metric=f'"{name}"')).metrics == [name]
    (fault,) = faults(with_arms(arms, metric='"validation/label_recovery"'))
    assert "no arm measures `validation/label_recovery`; there are" in fault
    assert name in fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = 'x'", "has no [ablation] table"),
        ("ablation = 3", "has no [ablation] table"),
        ("[ablation]\nbaseline = 'a'\n", "at least two arms to compare, got 0"),
        (with_arms("[ablation.arms.a]\n"), "expected at least two arms to compare, got 1"),
        (with_arms("[ablation.arms.a]\n[ablation.arms.b]\n", seeds="[]"), "seeds"),
        (with_arms("[ablation.arms.a]\n[ablation.arms.b]\n", seeds="[1, 1]"), "duplicate seed 1"),
        (with_arms("[ablation.arms.a]\n[ablation.arms.b]\n", seeds="[-1]"), "seeds"),
        (with_arms("[ablation.arms.a]\n[ablation.arms.'b/c']\n"), "arms"),
        (with_arms("[ablation.arms.a]\n[ablation.arm.b]\n"), "has no setting `arm`"),
        (with_arms("[ablation.arms]\na = 3\n"), "arms"),
    ],
)
def test_what_is_no_ablation(faults, text: str, words: str) -> None:
    assert any(words in fault for fault in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("settings", "what", "hint"),
    [
        ('stop = "settled"', 'stop = "settled" needs `max_seeds`', "max_seeds = 10"),
        ("max_seeds = 8", 'max_seeds = 8 has no effect with stop = "fixed"', "--set ablation.max_seeds=false"),
        ('max_seeds = 4\nstop = "settled"', "max_seeds = 4 is less than the number of `seeds`, 5", "raise max_seeds"),
        ('max_seeds = 3\nstop = "settled"', "expected an integer of at least 4 and of at most 1000, got 3", ""),
        ("smallest_difference = 0", "got 0", ""),
        ("smallest_difference = nan", "got nan", ""),
        ('stop = "soon"', "soon", "settled"),
    ],
)
def test_settings_of_the_stop_that_cannot_be_kept(faults, settings: str, what: str, hint: str) -> None:
    (fault,) = faults(SKIPS.replace("seeds = [0, 3]\n", f"seeds = [0, 1, 2, 3, 4]\n{settings}\n"))
    assert what in fault
    assert hint in fault


def test_seeds_beyond_the_largest_that_there_is_are_refused(faults) -> None:
    most = 2**63 - 1
    (fault,) = faults(SKIPS.replace("[0, 3]\n", f'[{most}]\nstop = "settled"\nmax_seeds = 4\n'))
    assert f"got {most + 1}" in fault


def test_a_stop_is_taken_back_on_the_command_line(plan) -> None:
    text = SKIPS.replace("seeds = [0, 3]\n", 'seeds = [0, 3]\nstop = "settled"\nmax_seeds = 6\n')
    assert [trial.seed for trial in plan(text).of("skips")] == [0, 3, 4, 5, 6, 7]
    assert len(plan(text, "ablation.stop=fixed", "ablation.max_seeds=false").trials) == 4
