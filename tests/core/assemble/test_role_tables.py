"""Optimizers and schedules by role: what a recipe says of one network, over what it says of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.core.assemble.conftest import RECIPE

from genlab import RecipeError
from genlab.assemble.experiment import build
from genlab.assemble.recipe import Recipe
from genlab.assemble.role_tables import aligned, resolved_key
from genlab.assemble.update_rules import rates_at
from genlab.config.document import Document
from genlab.interfaces.position import Position

Resolved = Callable[..., Recipe]

TWO_SCALES = """
[optimizer]
learning_rate = 1e-4
clip = 5

[optimizer.discriminator]
learning_rate = 4e-4

[schedule.generator]
name = "cosine"
"""


def told(resolved: Resolved, *assignments: str, text: str = RECIPE) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        resolved(*assignments, text=text)
    return [str(fault) for fault in caught.value.faults]


def names(recipe: Recipe) -> dict[str, str]:
    return {role: rule.config.component.name for role, rule in recipe.optimizers.items()}


def test_a_recipe_that_says_nothing_has_adam_at_a_constant_rate(resolved: Resolved) -> None:
    recipe = resolved()
    assert names(recipe) == {"generator": "adam", "discriminator": "adam"}
    assert recipe.tables()["schedule"] == {"name": "genlab:constant", "warmup": 0.0}
    assert recipe.tables()["optimizer"] == {
        "name": "genlab:adam",
        "learning_rate": 2e-4,
        "betas": [0.5, 0.999],
        "epsilon": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
    }


def test_a_roles_table_is_laid_over_that_of_all(resolved: Resolved) -> None:
    recipe = resolved(text=RECIPE + TWO_SCALES)
    rules = recipe.optimizers
    assert [rules[role].config.settings["learning_rate"] for role in ("generator", "discriminator")] == [1e-4, 4e-4]
    assert {rule.keys.clip for rule in rules.values()} == {5}
    assert [rule.config.component.name for rule in recipe.schedules.values()] == ["cosine", "constant"]


@pytest.mark.parametrize("text", ["", TWO_SCALES])
def test_a_resolved_recipe_resolves_to_itself(resolved: Resolved, text: str) -> None:
    recipe = resolved(text=RECIPE + text)
    assert resolved(text=recipe.toml()).tables() == recipe.tables()
    assert set(recipe.tables()["optimizer"]) & {"generator", "name"} == ({"generator"} if text else {"name"})


def test_a_role_with_another_optimizer_starts_afresh(resolved: Resolved) -> None:
    changes = ["optimizer={betas=[0.1, 0.2], clip=1}", "optimizer.discriminator={name='sgd', momentum=0.9}"]
    recipe = resolved(*changes)
    assert names(recipe) == {"generator": "adam", "discriminator": "sgd"}
    assert recipe.tables()["optimizer"]["discriminator"] == {
        "name": "genlab:sgd",
        "learning_rate": 1e-3,
        "momentum": 0.9,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
    }


def test_one_of_the_same_name_goes_on(resolved: Resolved) -> None:
    recipe = resolved("optimizer={name='sgd', momentum=0.9}", "optimizer.generator={name='genlab:sgd', clip=1}")
    assert {rule.config.settings["momentum"] for rule in recipe.optimizers.values()} == {0.9}


def test_networks_that_are_not_there_or_not_trained_have_none(resolved: Resolved) -> None:
    assert names(resolved("losses.play=false")) == {"generator": "adam"}
    teacher = "[method]\nname = 'teacher'\n[networks.encoder]\nname = 'code'\n[networks.critic]\nname = 'judge'"
    text = RECIPE.replace('[method]\nname = "game"', teacher)
    recipe = resolved("optimizer.critic.clip=2", text=text)
    assert set(recipe.optimizers) == set(recipe.schedules) == {"generator", "back", "critic", "encoder"}
    assert [role for role, rule in recipe.optimizers.items() if rule.keys.clip == 2] == ["critic"]
    (fault,) = told(resolved, "optimizer.average.clip=2", text=text)
    assert 'optimizer "adam" has no setting `average`' in fault
    assert fault.split("\n")[0].endswith("name, clip, generator, back, critic, encoder")


@pytest.mark.parametrize(
    ("assignment", "what", "hint"),
    [
        ("optimizer.discriminatr.clip=1", "no setting `discriminatr`", "Did you mean `discriminator`?"),
        ("optimizer.discriminator=4", "`optimizer.discriminator`: expected a table, got 4", ""),
        ("optimizer.discriminator.betas=1", "`betas`: expected a list of 2 values", "betas: "),
        ("optimizer.discriminator.name=adm", 'no plugin gives an optimizer "adm"', "Did you mean `adam`?"),
        ("optimizer.discriminator.clip=0", "`clip`: expected a number above 0, got 0", "clip: The greatest L2 norm"),
        ("optimizer.clip=-1", "`clip`: expected a number above 0, got -1", "clip: The greatest L2 norm"),
        ("optimizer.clip=nan", "got nan", "clip: "),
        ("optimizer.warmup=0.1", "no setting `warmup`", "Did you mean `schedule.warmup`?"),
        ("optimizer.discriminator.lr=1", "no setting `lr`", "that is `optimizer.discriminator.learning_rate`."),
        ("optimizer.discriminator.warmup=1", "no setting `warmup`", "Did you mean `schedule.discriminator.warmup`?"),
        ("optimizer.lr=1", "no setting `lr`", "that is `optimizer.learning_rate`."),
        ("schedule.warmup=1.5", "`warmup`: expected a number of at least 0 and of at most 1, got 1.5", "warmup: "),
        ("schedule.generator.start=0.5", 'schedule "constant" has no setting `start`', ""),
        ("optimizer=sgd", "expected a table", 'To name the component: optimizer.name = "sgd"'),
    ],
)
def test_a_fault_is_told_once_where_it_is(resolved: Resolved, assignment: str, what: str, hint: str) -> None:
    (fault,) = told(resolved, assignment)
    assert fault.startswith(f"--set {assignment}: ")
    assert what in fault
    assert hint in fault


def test_a_table_of_no_role_is_refused_where_every_role_has_a_table_of_its_own(resolved: Resolved) -> None:
    own = "[optimizer.generator]\nname = 'sgd'\n[optimizer.discriminator]\nname = 'rmsprop'\n"
    (fault,) = told(resolved, "optimizer.discrimnator.clip=1", text=RECIPE + own)
    assert "no setting `discrimnator`" in fault
    assert "Did you mean `discriminator`?" in fault


def test_a_fault_of_all_is_told_where_all_have_it(resolved: Resolved) -> None:
    faults = told(resolved, "optimizer.beta=[1, 2]", "optimizer.discriminator.clip=0", "optimizer.generator.clip=3")
    assert [fault.split(": ")[0] for fault in faults] == [
        "--set optimizer.beta=[1, 2]",
        "--set optimizer.discriminator.clip=0",
    ]


def test_no_clip_is_infinite(resolved: Resolved) -> None:
    recipe = resolved("optimizer.clip=1", "optimizer.generator.clip=inf")
    assert "clip" not in recipe.tables()["optimizer"]["generator"]
    assert recipe.tables()["optimizer"]["discriminator"]["clip"] == 1


def test_an_assignment_that_every_role_overrules_is_refused(resolved: Resolved) -> None:
    resolved_text = resolved(text=RECIPE + TWO_SCALES).toml()
    (fault,) = told(resolved, "optimizer.learning_rate=1e-5", text=resolved_text)
    assert "`optimizer.learning_rate` changes nothing" in fault
    assert "Set optimizer.generator.learning_rate and optimizer.discriminator.learning_rate." in fault
    assert resolved("optimizer.learning_rate=1e-5", text=RECIPE + TWO_SCALES)  # the generator has that of all
    both = "[optimizer]\nclip = 1\n[optimizer.generator]\nclip = 2\n[optimizer.discriminator]\nclip = 3\n"
    assert resolved(text=RECIPE + both), "a recipe may extend another that says less"


def test_recipes_are_compared_by_role_where_one_is_by_role(resolved: Resolved) -> None:
    one, other = resolved().tables(), resolved("optimizer.generator.clip=1").tables()
    mine, yours = aligned(one, other)
    assert mine["optimizer"]["generator"] == one["optimizer"]
    assert yours["optimizer"]["generator"] == one["optimizer"] | {"clip": 1.0}
    assert mine["schedule"] == one["schedule"]
    assert aligned(one, one) == (one, one)


@pytest.mark.parametrize(
    ("changes", "key", "place"),
    [
        ([], ("optimizer", "generator", "clip"), ("optimizer", "clip")),
        (["optimizer.generator.clip=1"], ("optimizer", "generator", "clip"), ("optimizer", "generator", "clip")),
        ([], ("optimizer", "learning_rate"), ("optimizer", "learning_rate")),
        ([], ("losses", "near", "power"), ("losses", "near", "power")),
        ([], ("seed",), ("seed",)),
    ],
)
def test_where_a_resolved_recipe_has_a_value(resolved: Resolved, changes: list[str], key: Any, place: Any) -> None:
    assert resolved_key(resolved(*changes).tables(), key) == place


def test_what_a_constructor_refuses_is_shown_at_its_setting(
    resolved: Resolved, document: Callable[..., Document]
) -> None:
    values = "optimizer.discriminator={name='sgd', nesterov=true}"
    with pytest.raises(RecipeError, match=r"--set optimizer\.discriminator.*nesterov needs a momentum"):
        build(resolved(values), document(values))


def test_rates_are_the_optimizers_times_the_schedules(resolved: Resolved) -> None:
    changes: list[Any] = ["schedule.warmup=0.5", "optimizer.discriminator.learning_rate=4e-4", "train.steps=8"]
    assert rates_at(resolved(*changes), Position(1, 8)) == {"generator": 1e-4, "discriminator": 2e-4}
