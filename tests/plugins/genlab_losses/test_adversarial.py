import math

import pytest
import torch

from genlab_losses.adversarial import Adversarial


def scores(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_is_binary_cross_entropy_unless_told_otherwise():
    assert Adversarial().for_generator(scores(0.0)).item() == pytest.approx(math.log(2))


# The sigmoid of log 3 is 3/4.
@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("bce", (math.log(2) + math.log(4 / 3)) / 2),
        ("lsgan", (1 + (math.log(3) - 1) ** 2) / 2),
    ],
)
def test_the_generator_wants_its_predictions_taken_as_real(objective, expected):
    assert Adversarial(objective=objective).for_generator(scores(0.0, math.log(3))).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("bce", (math.log(4 / 3) + math.log(2)) / 2 + (math.log(2) + math.log(4)) / 2),
        ("lsgan", ((math.log(3) - 1) ** 2 + 1) / 2 + (0 + math.log(3) ** 2) / 2),
    ],
)
def test_the_discriminator_wants_both_told_apart(objective, expected):
    value = Adversarial(objective=objective).for_discriminator(scores(math.log(3), 0.0), scores(0.0, math.log(3)))
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize(("objective", "real", "predicted"), [("bce", 50.0, -50.0), ("lsgan", 1.0, 0.0)])
def test_is_zero_where_a_side_has_won(objective, real, predicted):
    loss = Adversarial(objective=objective)
    assert loss.for_generator(scores(real)).item() == pytest.approx(0)
    assert loss.for_discriminator(scores(real), scores(predicted)).item() == pytest.approx(0)


def test_sure_scores_give_finite_losses():
    loss = Adversarial(objective="bce")
    assert loss.for_generator(scores(-1000.0)).item() == pytest.approx(1000)
    assert loss.for_discriminator(scores(-1000.0), scores(1000.0)).item() == pytest.approx(2000)
