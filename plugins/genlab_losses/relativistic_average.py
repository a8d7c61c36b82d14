"""Relativistic average adversarial loss: each image against the average of the other kind."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import AdversarialLoss, Scores


class RelativisticAverage(AdversarialLoss):
    """Logistic loss of scores less the other kind's average (RaSGAN).

    The discriminator wants targets to score above the average of predictions, and predictions below that of targets;
    the generator the opposite (Jolicoeur-Martineau 2018, arXiv 1807.00734, section 4.3). The average is over all scores
    of a batch.
    """

    is_mean: ClassVar[bool] = False

    @override
    def for_generator(self, scores: Scores) -> Float[Tensor, ""]:
        return _mean_cost(scores.prediction, scores.target)

    @override
    def for_discriminator(self, scores: Scores) -> Float[Tensor, ""]:
        return _mean_cost(scores.target, scores.prediction)


def _mean_cost(higher: Float[Tensor, "n 1 i j"], lower: Float[Tensor, "n 1 i j"]) -> Float[Tensor, ""]:
    """Low where the first scores are above the average of the second, and the second below that of the first."""
    return F.softplus(lower.mean() - higher).mean() + F.softplus(lower - higher.mean()).mean()
