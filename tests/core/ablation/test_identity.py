"""The content hash that identifies a trial."""

from __future__ import annotations

from typing import Any

import pytest

from genlab.ablation.identity import identity
from genlab.config.schema import TABLES


def is_another_trial(changed: dict[str, Any]) -> bool:
    return identity(changed, {}, {}) != identity({}, {}, {})


@pytest.mark.parametrize("name", TABLES)
def test_every_table_belongs_to_a_trial_s_identity(name: str) -> None:
    advice = "no result depends on any key of this table, as `CHANGEABLE` in runs/recipe_changes.py says"
    assert is_another_trial({name: {"changed": 1}}), advice


@pytest.mark.parametrize(
    ("changed", "decides"),
    [
        ({"title": "Another"}, False),
        ({"listeners": {}}, False),
        ({"listeners": {"console": {"every": 3}}}, False),
        ({"train": {"values_every": 3}}, False),
        ({"train": {"patience": 3}}, True),
        ({"checkpoint": {"minutes": 3, "keep": 4}}, False),
        ({"checkpoint": {"best": "validation/l1"}}, True),
        ({"evaluate": {"previews": 3}}, True),
        ({"data": {"root": "elsewhere"}}, True),
        ({"losses": {}}, True),
    ],
)
def test_a_value_belongs_to_it_if_a_result_depends_on_it(changed: dict[str, Any], decides: bool) -> None:
    assert is_another_trial(changed) == decides
