"""Feature matching loss."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Objective, StepContext


class FeatureMatching(Objective):
    """Mean absolute difference of the discriminator's features (pix2pixHD, Wang et al. 2018, 1711.11585, equation 4).

    The generator draws the features of its prediction to those of the target. The value is the mean over a feature's
    elements, then over all layers of all scales. The paper's code adds up the 4 layers of a discriminator, so that its
    weight of 10 is one of 40 here.
    """

    needs_features: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = True

    @override
    def forward(self, step: StepContext) -> Float[Tensor, ""]:
        pairs = zip(step.features(step.prediction), step.features(step.target), strict=True)
        return torch.stack([F.l1_loss(made, wanted.detach()) for made, wanted in pairs]).mean()
