"""Origins of the values of a resolved recipe, where tables of roles are laid over others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.core.assemble.conftest import RECIPE

from genlab.assemble.value_origins import value_origin

TEACHER = RECIPE.replace('name = "game"', 'name = "teacher"') + "[networks.encoder]\nname = 'code'\n"
RATE, CLIP = "optimizer.learning_rate=1e-4", "optimizer.clip=5"
FAST = "optimizer.discriminator.learning_rate=4e-4"
SGD = "optimizer.generator.name=sgd"
ADAM = "optimizer.generator={name='adam', amsgrad=true}"
WIDE = "networks.generator.width=3"
DEEP = "networks.generator={name='deep_net', width=3}"


@pytest.mark.parametrize(
    ("text", "assignments", "keys", "places"),
    [
        (RECIPE, [RATE, CLIP], "optimizer.clip", [CLIP]),
        (RECIPE, [RATE, CLIP, FAST], "optimizer.generator.learning_rate", [RATE]),
        (RECIPE, [RATE, CLIP, FAST], "optimizer.discriminator.learning_rate", [FAST]),
        (RECIPE, [RATE, CLIP, FAST], "optimizer.discriminator.clip", [CLIP]),
        (RECIPE, [RATE, CLIP, FAST], "optimizer.discriminator.betas", []),
        (RECIPE, [RATE, SGD], "optimizer.generator.learning_rate", []),
        (RECIPE, [RATE, SGD], "optimizer.generator.name", [SGD]),
        (RECIPE, [RATE, SGD], "optimizer.discriminator.learning_rate", [RATE]),
        (RECIPE, [CLIP, ADAM], "optimizer.generator.clip", [CLIP]),
        (RECIPE, [FAST], "seed", []),
        (RECIPE, ["schedule.generator=false", "schedule.warmup=0.5"], "schedule.warmup", ["schedule.warmup=0.5"]),
        (RECIPE, [WIDE], "generator.width", [WIDE]),
        (RECIPE, ["seed=3"], "seed", ["seed=3"]),
        (TEACHER, ["generator.width=5"], "networks.back.width", ["generator.width=5"]),
        (TEACHER, ["generator.width=5", WIDE], "networks.back.width", [WIDE]),
        (TEACHER, [WIDE, "networks.back.depth=1"], "networks.back.width", [WIDE]),
        (TEACHER, [WIDE, "networks.back.depth=1"], "networks.back.depth", ["networks.back.depth=1"]),
        (TEACHER, [WIDE, "networks.back.name=deep_net"], "networks.back.width", []),
        (TEACHER, [DEEP], "networks.back.width", [DEEP]),
        (TEACHER, ["discriminator.least=2"], "networks.critic.least", ["discriminator.least=2"]),
        (TEACHER, [], "networks.encoder.width", []),
    ],
)
def test_a_value_is_from_the_table_that_gave_it(
    resolved: Callable[..., Any],
    document: Callable[..., Any],
    text: str,
    assignments: list[str],
    keys: str,
    places: list[str],
) -> None:
    found = value_origin(tuple(keys.split(".")), resolved(*assignments, text=text), document(*assignments, text=text))
    assert found == (", ".join(f"--set {place}" for place in places) or None)


def test_a_value_that_each_role_has_by_itself_has_both_places(
    resolved: Callable[..., Any], document: Callable[..., Any]
) -> None:
    text = RECIPE + "[optimizer.generator]\nclip = 2\n[optimizer.discriminator]\nclip = 2\n"
    at = text.splitlines().index("clip = 2") + 1
    recipe, read = resolved(text=text), document(text=text)
    assert recipe.tables()["optimizer"]["clip"] == 2
    assert value_origin(("optimizer", "clip"), recipe, read) == f"r.toml:{at}:1, r.toml:{at + 2}:1"


@pytest.mark.parametrize("text", [RECIPE, TEACHER])
def test_each_value_that_is_written_has_an_origin_and_no_other(
    resolved: Callable[..., Any], document: Callable[..., Any], text: str
) -> None:
    """A resolved recipe is written in full."""
    full = resolved("optimizer.generator.clip=2", text=text)
    again = resolved(text=full.toml())
    read = document(text=full.toml())

    def leaves(table: dict[str, Any], at: tuple[str, ...] = ()) -> Any:
        for key, value in table.items():
            yield from leaves(value, (*at, key)) if isinstance(value, dict) else [(*at, key)]

    assert all(value_origin(keys, again, read) for keys in leaves(again.tables()))
