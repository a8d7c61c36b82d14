"""The content hash that identifies a trial."""

from __future__ import annotations

import pytest

from genlab.ablation.identity import identity
from genlab.config.schema import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_every_table_belongs_to_a_trial_s_identity_but_those_that_decide_no_result(name: str) -> None:
    is_another_trial = identity({name: {"changed": 1}}, {}, {}) != identity({}, {}, {})
    advice = "name the table here if no result depends on it, as its `decides_result = False` says"
    assert is_another_trial == (name not in {"checkpoint"}), advice
