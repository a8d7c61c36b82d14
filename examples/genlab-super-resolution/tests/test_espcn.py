"""ESPCN, and a short training with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import genlab
import numpy as np
import pytest
import torch
from genlab.testing import GeneratorSuite

from genlab_super_resolution.espcn import ESPCN

RECIPE = Path(__file__).parents[1] / "recipe.toml"
SHORT = ["train.steps=2", "data.source.count=4", "data.source.validation_count=2", "evaluate.validations=1"]


class TestESPCN(GeneratorSuite):
    component = ESPCN
    settings: ClassVar[Mapping[str, Any]] = {"channels": 8}


class TestESPCNAtTheSameSize(GeneratorSuite):
    component = ESPCN
    settings: ClassVar[Mapping[str, Any]] = {"scale": 1, "channels": 8}


def test_a_square_of_pixels_is_made_from_the_pixels_around_its_own() -> None:
    condition = torch.randn(1, 3, 15, 15, requires_grad=True)
    ESPCN(3, 3, scale=4, channels=4)(condition)[0, 0, 4 * 7 : 4 * 8, 4 * 7 : 4 * 8].sum().backward()
    assert condition.grad is not None
    seen = condition.grad.abs().sum(dim=(0, 1)).nonzero()
    assert (seen.min().item(), seen.max().item()) == (7 - 4, 7 + 4)


def test_the_recipe_trains_and_the_run_enlarges(tmp_path: Path) -> None:
    run = genlab.train(RECIPE, overrides=SHORT, out=tmp_path / "run")
    small = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
    assert run.predict(small).shape == (60, 93, 3)


def test_a_generator_of_another_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(genlab.GenlabError, match="scale"):
        genlab.train(RECIPE, overrides=[*SHORT, "generator.scale=2"], out=tmp_path / "run")
