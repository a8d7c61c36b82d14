import math

import pytest
import torch

from genlab_losses.adversarial import Adversarial

OBJECTIVES = ["bce", "lsgan"]


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


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_descent_moves_the_scores_apart_and_the_generators_up(objective):
    loss = Adversarial(objective=objective)
    real, predicted = (torch.full((1, 1, 1, 1), 0.5, requires_grad=True) for _ in range(2))
    for_real, for_predicted = torch.autograd.grad(loss.for_discriminator(real, predicted), (real, predicted))
    (for_generator,) = torch.autograd.grad(loss.for_generator(predicted), predicted)
    assert for_real < 0 < for_predicted
    assert for_generator < 0


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_does_not_grow_with_batch_or_size(objective):
    loss, (real, predicted) = Adversarial(objective=objective), torch.randn(2, 1, 1, 3, 3)
    more_real, more_predicted = real.repeat(4, 1, 2, 2), predicted.repeat(4, 1, 2, 2)
    torch.testing.assert_close(loss.for_generator(more_predicted), loss.for_generator(predicted))
    torch.testing.assert_close(
        loss.for_discriminator(more_real, more_predicted), loss.for_discriminator(real, predicted)
    )


def test_sure_scores_give_finite_losses():
    loss = Adversarial(objective="bce")
    assert loss.for_generator(scores(-1000.0)).item() == pytest.approx(1000)
    assert loss.for_discriminator(scores(-1000.0), scores(1000.0)).item() == pytest.approx(2000)
