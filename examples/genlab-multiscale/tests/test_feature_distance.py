"""Feature matching, and a short training with it."""

from __future__ import annotations

from pathlib import Path

import genlab
import pytest
import torch
from genlab import Batch, StepContext
from genlab.testing import ObjectiveSuite

from genlab_multiscale.feature_distance import FeatureDistance
from genlab_multiscale.pyramid import Pyramid

RECIPE = Path(__file__).parents[1] / "recipe.toml"
SHORT = ["train.steps=2", "data.count=4", "data.validation_count=2", "evaluate.validations=1"]


class TestFeatureDistance(ObjectiveSuite):
    component = FeatureDistance


def test_it_is_zero_at_the_target_and_draws_the_prediction_there() -> None:
    network = Pyramid(3, 3, channels=4)
    target, other = torch.rand(2, 1, 3, 32, 32)
    prediction = other.requires_grad_()
    there, away = (
        FeatureDistance()(StepContext(Batch(target, target), image, network)) for image in (target, prediction)
    )
    assert there.item() == 0
    away.backward()
    assert prediction.grad is not None
    nearer = FeatureDistance()(StepContext(Batch(target, target), other - 1e-3 * prediction.grad.sign(), network))
    assert nearer < away


@pytest.mark.parametrize("package", ["", "genlab-multiscale:"])
def test_the_recipe_trains_with_names_and_with_the_names_of_packages(tmp_path: Path, package: str) -> None:
    names = [f"discriminator.name={package}pyramid", f"losses.feature_distance.name={package}feature_distance"]
    run = genlab.train(RECIPE, overrides=[*SHORT, *names], out=tmp_path / "run")
    assert run.manifest.status == "finished"
