"""Training steps on empty images are those that a training would take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genlab import RecipeError
from genlab.assemble.dry_training import count_step_flops

Make = Callable[..., Any]


def test_a_training_that_would_update_nothing_has_no_steps_to_count(resolved: Make, document: Make) -> None:
    frozen = "init.generator.freeze=true"
    with pytest.raises(RecipeError, match="has nothing to update") as caught:
        count_step_flops(resolved(frozen), (3, 3), document(frozen))
    assert [fault.path for fault in caught.value.faults] == [("init", "generator", "freeze")]
