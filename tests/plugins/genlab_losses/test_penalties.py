"""Penalties on the gradient of scores, by discriminators whose gradients are known."""

import pytest
import torch
from tests.plugins.genlab_losses.discriminators import Linear, Patches, Quadratic, step

from genlab import Batch, Draws, StepContext
from genlab_losses.gradient_penalty import GradientPenalty
from genlab_losses.zero_centered_penalty import ZeroCenteredPenalty
from genlab_pix2pix.patchgan import PatchGAN

TARGET, PREDICTION = [[3.0, 4.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, -2.0]]


def test_the_gradient_penalty_wants_a_norm_of_one():
    """A linear critic has the gradient a everywhere: (|a| - 1)^2, whose gradient by a is 2 (|a| - 1) a / |a|."""
    critic = Linear([3.0, 4.0])
    value = GradientPenalty()(step(critic, TARGET, PREDICTION, (0, 1)))
    value.backward()
    assert value.item() == pytest.approx(16)
    assert critic.vectors[0].grad.tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5])


def test_the_gradient_penalty_is_drawn_between_target_and_prediction_for_each_image():
    """The gradient of |x|^2 / 2 is x itself, so the value is (|x| - 1)^2 at the points that the step draws."""
    value = GradientPenalty()(step(Quadratic(), TARGET, PREDICTION, (5, 9)))
    shares = Draws(7, (5, 9)).uniform("gradient_penalty", torch.zeros(2, 1)).view(2, 1)
    assert 0 <= shares.min() < shares.max() < 1
    points = shares * torch.tensor(TARGET) + (1 - shares) * torch.tensor(PREDICTION)
    assert value.item() == pytest.approx((points.norm(dim=1) - 1).square().mean().item())


@pytest.mark.parametrize(("images", "norms"), [("target", (25, 1)), ("prediction", (1, 4))])
def test_r1_and_r2_are_half_the_squared_norm_at_targets_and_predictions(images, norms):
    """Of a / 2 |x|^2 the gradient is a x: a^2 |x|^2 / 2, whose gradient by a is a |x|^2."""
    critic = Quadratic(2.0)
    value = ZeroCenteredPenalty(images=images)(step(critic, TARGET, PREDICTION, (0, 1)))
    value.backward()
    assert value.item() == pytest.approx(4 * sum(norms) / 2 / 2)
    assert critic.factor.grad.item() == pytest.approx(2 * sum(norms) / 2)


@pytest.mark.parametrize(("penalty", "expected"), [(GradientPenalty(), 8.5), (ZeroCenteredPenalty(), 6.5)])
def test_several_maps_count_alike(penalty, expected):
    """Norms 5 and 0: (16 + 1) / 2, and (25 + 1) / 4."""
    vectors = ([3.0, 4.0], [0.0, 0.0]) if isinstance(penalty, GradientPenalty) else ([3.0, 4.0], [0.0, 1.0])
    assert penalty(step(Linear(*vectors), TARGET, PREDICTION, (0, 1))).item() == pytest.approx(expected)


def test_the_score_of_an_image_is_the_mean_of_its_map():
    """The mean of a map of a x_i has the gradient a / 2 at both pixels: squared, a^2 / 2 together."""
    assert ZeroCenteredPenalty()(step(Patches(4.0), TARGET, PREDICTION, (0, 1))).item() == pytest.approx(8 / 2)


def test_where_the_gradient_is_zero_that_of_the_penalty_is_finite():
    critic = Linear([0.0, 0.0])
    GradientPenalty()(step(critic, TARGET, PREDICTION, (0, 1))).backward()
    assert critic.vectors[0].grad.isfinite().all()


def test_second_derivatives_pass_through_the_fast_convolutions_of_patchgan():
    images = torch.rand(3, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    gradients: list[torch.Tensor] = []
    for is_plain in (False, True):
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            critic = PatchGAN(condition_channels=3, image_channels=3, receptive_field=34, channels=16, norm="instance")
        if is_plain:
            critic.make_plain()
        condition, target, prediction = images
        ZeroCenteredPenalty()(StepContext(Batch(condition, target), prediction, critic)).backward()
        gradients.append(
            torch.cat([weight.grad.flatten() for weight in critic.parameters() if weight.grad is not None])
        )
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-8)
    assert gradients[0].any()


def test_r1_can_be_lazy():
    assert [ZeroCenteredPenalty().every, ZeroCenteredPenalty(every=16).every] == [1, 16]
