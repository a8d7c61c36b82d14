"""Relativistic adversarial loss: each prediction against its target."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import AdversarialLoss, Scores


class Relativistic(AdversarialLoss):
    """Logistic loss of score differences (RSGAN, Jolicoeur-Martineau 2018, arXiv 1807.00734, section 4.1).

    The discriminator wants each target to score above its prediction, the generator the opposite, patch by patch.
    Huang et al. 2024 (R3GAN, arXiv 2501.05441, section 2) call it RpGAN; it converges with the losses `r1` and `r2`
    together.
    """

    @override
    def for_generator(self, scores: Scores) -> Float[Tensor, ""]:
        return _mean_cost(scores.prediction - scores.target)

    @override
    def for_discriminator(self, scores: Scores) -> Float[Tensor, ""]:
        return _mean_cost(scores.target - scores.prediction)


def _mean_cost(lead: Float[Tensor, "n 1 i j"]) -> Float[Tensor, ""]:
    """The negative logarithm of the sigmoid."""
    return F.softplus(-lead).mean()
