"""It does all that genlab asks of a method, and the way back has settings of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import genlab
import pytest
from genlab.testing import MethodSuite

from genlab_cycle_twins.method import CycleTwins

RECIPE = Path(__file__).parents[1] / "recipe.toml"


class TestCycleTwins(MethodSuite):
    component = CycleTwins
    settings: ClassVar[Mapping[str, Any]] = {"back": 0.25}


def test_networks_of_the_way_back_have_settings_of_their_own() -> None:
    sizes = {network.role: network.parameters for network in genlab.describe_networks(RECIPE)}
    assert sizes["generator_back"] < sizes["generator"]
    assert sizes["discriminator_back"] < sizes["discriminator"]


def test_without_a_comparison_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no loss that compares images"):
        CycleTwins({}, {})
