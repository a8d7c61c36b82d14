import math

import pytest
import torch

from genlab import Scores
from genlab_losses.adversarial import Adversarial


def scores(target: list[float], prediction: list[float]) -> Scores:
    """A row of scores of each."""
    return Scores(
        lambda: torch.tensor(target).reshape(1, 1, 1, -1), lambda: torch.tensor(prediction).reshape(1, 1, 1, -1)
    )


def predicted(*values: float) -> Scores:
    """Scores of a prediction, where those of the target must not be asked for."""

    def fail() -> torch.Tensor:
        raise AssertionError("the scores of the target were asked for")

    return Scores(fail, lambda: torch.tensor(values).reshape(1, 1, 1, -1))


def test_is_binary_cross_entropy_unless_told_otherwise():
    assert Adversarial().for_generator(predicted(0.0)).item() == pytest.approx(math.log(2))


# The sigmoid of log 3 is 3/4.
@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("bce", (math.log(2) + math.log(4 / 3)) / 2),
        ("lsgan", (1 + (math.log(3) - 1) ** 2) / 2),
        ("hinge", -math.log(3) / 2),
        ("wgan", -math.log(3) / 2),
    ],
)
def test_the_generator_wants_its_predictions_taken_as_real(objective, expected):
    assert Adversarial(objective=objective).for_generator(predicted(0.0, math.log(3))).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("bce", (math.log(4 / 3) + math.log(2)) / 2 + (math.log(2) + math.log(4)) / 2),
        ("lsgan", ((math.log(3) - 1) ** 2 + 1) / 2 + (0 + math.log(3) ** 2) / 2),
        ("hinge", (0 + 1) / 2 + (1 + 1 + math.log(3)) / 2),
        ("wgan", 0.0),
    ],
)
def test_the_discriminator_wants_both_told_apart(objective, expected):
    value = Adversarial(objective=objective).for_discriminator(scores([math.log(3), 0.0], [0.0, math.log(3)]))
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("objective", "real", "made"), [("bce", 50.0, -50.0), ("lsgan", 1.0, 0.0), ("hinge", 1.0, -1.0)]
)
def test_is_zero_where_the_discriminator_has_won(objective, real, made):
    value = Adversarial(objective=objective).for_discriminator(scores([real], [made]))
    assert value.item() == pytest.approx(0)


@pytest.mark.parametrize(("objective", "passing"), [("bce", 50.0), ("lsgan", 1.0)])
def test_is_zero_where_the_generator_has_won(objective, passing):
    assert Adversarial(objective=objective).for_generator(predicted(passing)).item() == pytest.approx(0)


def test_beyond_the_margin_the_hinge_teaches_the_discriminator_nothing():
    real, made = (torch.tensor(row).reshape(1, 1, 1, 2).requires_grad_() for row in ([0.5, 1.5], [-0.5, -1.5]))
    Adversarial(objective="hinge").for_discriminator(Scores(lambda: real, lambda: made)).backward()
    assert real.grad.flatten().tolist() == [-0.5, 0.0]
    assert made.grad.flatten().tolist() == [0.5, 0.0]


def test_sure_scores_give_finite_losses():
    loss = Adversarial(objective="bce")
    assert loss.for_generator(predicted(-1000.0)).item() == pytest.approx(1000)
    assert loss.for_discriminator(scores([-1000.0], [1000.0])).item() == pytest.approx(2000)
