import pytest
import torch

from genlab_losses.l2 import L2


def test_is_the_mean_squared_difference():
    target = torch.tensor([-1.0, 0.0, 0.5, 1.0]).reshape(1, 1, 2, 2)
    prediction = torch.tensor([1.0, 0.0, 0.0, 0.5]).reshape(1, 1, 2, 2)
    assert L2()(torch.zeros(1, 3, 2, 2), target, prediction).item() == pytest.approx((4 + 0 + 0.25 + 0.25) / 4)
