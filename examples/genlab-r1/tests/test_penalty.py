"""The penalty's value, its conformance, and a short training with it."""

from __future__ import annotations

import json
from pathlib import Path

import genlab
import pytest
import torch
from genlab import Batch, Discriminator, Scored, StepContext
from genlab.testing import ObjectiveSuite
from torch import Tensor

from genlab_r1.penalty import R1

RECIPE = Path(__file__).parents[1] / "recipe.toml"
SHORT = ["train.steps=3", "data.count=4", "data.validation_count=2", "evaluate.validations=1", "train.values_every=1"]


class TestR1(ObjectiveSuite):
    component = R1


class Slope(Discriminator):
    """Scores of a known gradient: `slope` times each value, and as a second map 3 times that."""

    receptive_field = min_size = 1

    def __init__(self, slope: float, maps: int) -> None:
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope))
        self.maps = maps

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        del condition
        scores = self.slope * image.sum(dim=1, keepdim=True)
        return Scored([scores, 3 * scores][: self.maps])


@pytest.mark.parametrize(("maps", "factor"), [(1, 1.0), (2, 2.0)])
def test_it_is_half_the_squared_norm_of_the_gradient(maps: int, factor: float) -> None:
    image = torch.randn(2, 3, 4, 4)
    step = StepContext(Batch(image, image), torch.zeros_like(image), Slope(5.0, maps))
    gradient = 5.0 * factor / 16  # of the mean of 16 scores, by each of 48 values
    assert R1()(step).item() == pytest.approx(48 * gradient**2 / 2)


def test_it_lowers_the_slope() -> None:
    image = torch.randn(1, 1, 4, 4)
    network = Slope(5.0, 1)
    R1()(StepContext(Batch(image, image), image, network)).backward()
    assert network.slope.grad is not None
    assert network.slope.grad > 0


def test_it_takes_part_in_each_so_many_steps(tmp_path: Path) -> None:
    genlab.train(RECIPE, overrides=[*SHORT, "losses.lazy_r1.every=2"], out=tmp_path / "run")
    events = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    losses = [event["losses"] for event in events if event["event"] == "step"]
    assert [any("lazy_r1" in name for name in step) for step in losses] == [False, True, False]


def test_a_batch_norm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(genlab.GenlabError, match="lazy_r1"):
        genlab.train(RECIPE, overrides=[*SHORT, "discriminator.norm=batch"], out=tmp_path / "run")
