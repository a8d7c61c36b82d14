import math

import pytest
import torch

from genlab import Scores
from genlab_losses.relativistic import Relativistic
from genlab_losses.relativistic_average import RelativisticAverage


def scores(target: list[float], prediction: list[float]) -> Scores:
    """A score for each image."""
    return Scores(
        lambda: torch.tensor(target).reshape(-1, 1, 1, 1), lambda: torch.tensor(prediction).reshape(-1, 1, 1, 1)
    )


# The sigmoid of log 3 is 3/4.
GIVEN = ([math.log(3), 1.0], [0.0, 1.0])


def test_each_prediction_is_held_against_its_target():
    loss = Relativistic()
    assert loss.for_discriminator(scores(*GIVEN)).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    assert loss.for_generator(scores(*GIVEN)).item() == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_the_generator_lowers_the_scores_of_targets_too():
    real, made = (torch.zeros(1, 1, 1, 1, requires_grad=True) for _ in range(2))
    Relativistic().for_generator(Scores(lambda: real, lambda: made)).backward()
    assert (real.grad.item(), made.grad.item()) == (0.5, -0.5)


def test_the_average_is_held_against_each_score_of_the_other_kind():
    """By the definition: the discriminator's is that of targets above the predictions' mean, and the opposite."""
    target, prediction = [0.5, 2.5], [-1.0, 0.0]
    above = [value - sum(prediction) / 2 for value in target]
    below = [value - sum(target) / 2 for value in prediction]

    def cost(value: float) -> float:
        return math.log(1 + math.exp(-value))

    expected = sum(map(cost, above)) / 2 + sum(cost(-value) for value in below) / 2
    swapped = sum(map(cost, below)) / 2 + sum(cost(-value) for value in above) / 2
    loss = RelativisticAverage()
    assert loss.for_discriminator(scores(target, prediction)).item() == pytest.approx(expected)
    assert loss.for_generator(scores(target, prediction)).item() == pytest.approx(swapped)
