import pytest
import torch

from genlab_losses.l1 import L1


def test_is_the_mean_absolute_difference():
    target = torch.tensor([-1.0, 0.0, 0.5, 1.0]).reshape(1, 1, 2, 2)
    prediction = torch.tensor([1.0, 0.0, 0.0, 0.5]).reshape(1, 1, 2, 2)
    assert L1()(torch.zeros(1, 3, 2, 2), target, prediction).item() == pytest.approx((2 + 0 + 0.5 + 0.5) / 4)


def test_is_zero_for_the_target_itself_and_does_not_look_at_the_condition():
    target, condition = torch.randn(2, 1, 3, 4, 4)
    assert L1()(condition, target, target) == 0


def test_draws_the_prediction_to_the_target():
    target, prediction = torch.zeros(1, 1, 1, 2), torch.tensor([[[[-0.5, 0.5]]]], requires_grad=True)
    L1()(target, target, prediction).backward()
    assert prediction.grad.flatten().tolist() == [-0.5, 0.5]
