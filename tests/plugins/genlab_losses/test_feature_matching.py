import pytest
import torch
from torch import Tensor

from genlab import Batch, Discriminator, Scored, StepContext
from genlab_losses.feature_matching import FeatureMatching


class Doubling(Discriminator):
    """Two scales: features are the image, and twice its mean; one score each."""

    receptive_field = min_size = 1
    feature_channels = (1, 1)

    def forward(self, condition: Tensor, image: Tensor) -> Scored:
        mean = image.mean(dim=(2, 3), keepdim=True)
        return Scored([mean, mean], [image, 2 * mean])


def test_is_the_mean_difference_over_elements_then_over_layers():
    target = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).requires_grad_()
    prediction = torch.tensor([0.5, 0.0]).view(1, 1, 1, 2).requires_grad_()
    value = FeatureMatching()(StepContext(Batch(target, target), prediction, Doubling()))
    value.backward()
    assert value.item() == pytest.approx(((0.5 + 1.0) / 2 + 2 * 0.25) / 2)
    assert target.grad is None, "the target's features are what is aimed at"
    # By the first layer +1/2 and -1/2, by the second the sign of the mean's difference, -1, twice and halved; of both
    # the mean.
    assert prediction.grad.flatten().tolist() == pytest.approx([(0.5 - 1) / 2, (-0.5 - 1) / 2])
