"""Feature matching."""

from __future__ import annotations

import torch
from genlab import Objective, StepContext
from torch import Tensor


class FeatureDistance(Objective):
    """Mean absolute difference of what the discriminator's layers make of prediction and target.

    The mean is over a layer's elements, then over layers (Wang et al. 2018, 1711.11585, equation 4, which sums).
    """

    side = "generator"
    needs_features = True

    def forward(self, step: StepContext) -> Tensor:
        """Only the prediction's features have a gradient: the target's are what it is to reach."""
        distances = [
            (predicted - real.detach()).abs().mean()
            for predicted, real in zip(step.features(step.prediction), step.features(step.target), strict=True)
        ]
        return torch.stack(distances).mean()
