"""Lion's steps, its conformance, and a training with it that is resumed."""

from __future__ import annotations

from pathlib import Path

import genlab
import pytest
import torch
from genlab.testing import OptimizerSuite
from torch.nn import Parameter

from genlab_lion.lion import Lion

RECIPE = Path(__file__).parents[1] / "recipe.toml"
SHORT = ["train.steps=4", "data.count=4", "data.validation_count=2", "evaluate.validations=1"]


class TestLion(OptimizerSuite):
    component = Lion


class TestDecay(OptimizerSuite):
    component = Lion
    settings = {"weight_decay": 0.1}  # noqa: RUF012


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_weight_moves_by_the_rate_with_the_sign_of_a_mean(decay: float) -> None:
    weight = Parameter(torch.tensor([1.0, 1.0, 1.0]))
    optimizer = Lion([weight], learning_rate=0.1, betas=(0.9, 0.5), weight_decay=decay)
    expected = weight.detach().clone()
    # The mean is half the first gradient then: 0.9 of it outweighs a tenth of the second one, or does not.
    for gradient, signs in (([1.0, -1.0, 0.0], [1, -1, 0]), ([-4.0, 5.0, 1.0], [1, 1, 1])):
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        expected = expected * (1 - 0.1 * decay) - 0.1 * torch.tensor(signs)
        torch.testing.assert_close(weight.detach(), expected)


def test_a_training_that_is_resumed_is_the_one_that_was_not_stopped(tmp_path: Path) -> None:
    whole = genlab.train(RECIPE, overrides=SHORT, out=tmp_path / "whole").path
    parts = genlab.train(RECIPE, overrides=SHORT, out=tmp_path / "parts", stop_at=3).path
    assert genlab.resume(parts).manifest.status == "finished"
    files = [file.name for file in (whole / "checkpoints" / "00000004").glob("*.safetensors")]
    assert "generator.optimizer.safetensors" in files
    for name in files:
        one, other = (run / "checkpoints" / "00000004" / name for run in (whole, parts))
        assert one.read_bytes() == other.read_bytes(), name
