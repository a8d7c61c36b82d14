"""Effects that can be worked out by hand, on a generator that adds what its skip carries."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from genlab import Batch, Generator, ImageSide, Method, Outputs, Phase, PluginError, Skip
from genlab.config.schema import Inference
from genlab.data.sides import OneHotLabels
from genlab.data.view import SideView
from genlab.engine.inference import Predictor
from genlab.tools.probe.skips import SkipProbe


class Adding(Generator):
    """The prediction is half of the condition, and a quarter of it by way of a skip."""

    def __init__(self, times: int = 1) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))
        self.carrier = nn.Identity()
        self.times = times

    def forward(self, condition: Tensor) -> Tensor:
        prediction = self.factor * condition
        for _ in range(self.times):
            prediction = prediction + 0.25 * self.carrier(condition)
        return prediction

    def skips(self) -> Sequence[Skip]:
        return [Skip(1, self.carrier)]


class InPlace(Adding):
    """The same, but that it changes in place what it is given."""

    def forward(self, condition: Tensor) -> Tensor:
        return self.carrier(condition.clone()).mul_(0.25) + self.factor * condition


class Alone(Method):
    def forward(self, batch: Batch) -> Outputs:
        return {}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition)

    def phases(self) -> Sequence[Phase]:
        return []


VALUES = (0.8, -0.4, 0.2)
IMAGES = SideView(ImageSide())


def probe(**settings) -> SkipProbe:
    batches = [Batch(torch.full((1, 3, 8, 8), value), torch.zeros(1, 3, 8, 8)) for value in VALUES]
    predictor = Predictor(Alone({"generator": Adding(**settings)}, {}), Inference(normalization="image"))
    return SkipProbe(predictor, batches, IMAGES, 2)


def effects(made: SkipProbe) -> dict[str, object]:
    (skip,) = made.predictor.method.networks["generator"].skips()
    return {effect.replacement: effect for effect in made.effects(skip)}


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_every_replacement_by_hand():
    found = effects(probe())
    before = [0.75 * value for value in VALUES]
    carried = {
        "cut": [0.0, 0.0, 0.0],
        "shuffle": [VALUES[1], VALUES[2], VALUES[0]],
        "average": [mean(VALUES)] * 3,
    }
    assert list(found) == list(carried)
    for replacement, features in carried.items():
        after = [0.5 * value + 0.25 * feature for value, feature in zip(VALUES, features, strict=True)]
        effect = found[replacement]
        assert effect.change.mean == pytest.approx(mean([abs(a - b) for a, b in zip(after, before, strict=True)]))
        assert effect.error.mean == pytest.approx(mean([abs(a) - abs(b) for a, b in zip(after, before, strict=True)]))
        changes = [abs(a - b) for a, b in zip(after, before, strict=True)]
        deviation = (sum((change - mean(changes)) ** 2 for change in changes) / 2) ** 0.5
        assert effect.change.high - effect.change.mean == pytest.approx(deviation)
        assert effect.change.mean - effect.change.low == pytest.approx(deviation)


def test_a_generator_that_works_in_place_makes_no_difference():
    made, other = probe(), probe()
    other.predictor.method.networks["generator"] = InPlace()
    for replacement, effect in effects(made).items():
        assert effects(other)[replacement].change == pytest.approx(effect.change)


def test_scores_of_classes_are_looked_at_as_probabilities():
    """By the condition's two channels: of 0 and 3 for everything, and with the skip cut of 0 and 2."""
    condition = torch.tensor([0.0, 4.0]).reshape(1, 2, 1, 1).expand(1, 2, 8, 8)
    target = torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1).expand(1, 2, 8, 8)
    side = OneHotLabels(((0, 0, 0), (255, 255, 255)))
    made = SkipProbe(probe().predictor, [Batch(condition, target)] * 2, SideView(side), 1)
    before, after = 1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-2))
    effect = effects(made)["cut"]
    assert effect.change.mean == pytest.approx(before - after, rel=1e-5)
    assert effect.error.mean == pytest.approx(before - after, rel=1e-5)
    assert math.isnan(effect.high_frequency.mean), "there were none"


def test_high_frequencies_are_a_share_of_what_they_were():
    made = probe()
    alternating = 0.5 * (-1.0) ** torch.arange(8).expand(1, 3, 8, 8)
    made = SkipProbe(made.predictor, [Batch(scale * alternating, alternating) for scale in (1, 2)], IMAGES, 1)
    found = effects(made)
    assert found["cut"].high_frequency.mean == pytest.approx((0.5 / 0.75) ** 2)
    assert found["shuffle"].high_frequency.mean == pytest.approx(((1 / 0.75) ** 2 + (1.25 / 1.5) ** 2) / 2)


def test_pictures_are_those_of_the_first_pairs():
    found = effects(probe())
    assert found["cut"].pictures.shape == (2, 8, 8, 3)
    assert [int(picture[0, 0, 0]) for picture in found["cut"].pictures] == [
        round((0.5 * v + 1) * 127.5) for v in VALUES[:2]
    ]


def test_the_generator_is_left_as_it_was():
    made = probe()
    before = [image.clone() for image in made.undisturbed]
    effects(made)
    assert all(torch.equal(made.predictor(b.condition), image) for b, image in zip(made.batches, before, strict=True))


@pytest.mark.parametrize("times", [0, 2])
def test_a_skip_that_is_not_used_once(times: int):
    with pytest.raises(PluginError, match=f"level 1 was used {times} times in a forward pass"):
        effects(probe(times=times))
