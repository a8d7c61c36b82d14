"""Adversarial losses of a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import AdversarialLoss, Scores

Objective = Literal["bce", "lsgan"]

# How far scores are from a label, 1 for real and 0 for predicted: the mean over all scores.
_DISTANCES: dict[Objective, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": F.binary_cross_entropy_with_logits,
    "lsgan": F.mse_loss,
}


class Adversarial(AdversarialLoss):
    """Distance of scores from the labels that each side wants: 1 for real, 0 for predicted.

    The discriminator draws the scores of real images to 1 and those of predictions to 0; the generator draws the
    latter to 1.

    With `bce` that is binary cross-entropy on the scores' sigmoid (Goodfellow et al. 2014, equation 1, the generator
    in its non-saturating form of section 3). With `lsgan` it is the squared distance (Mao et al. 2017, equation 9,
    without its factors of one half).

    Args:
        objective: `bce`, the original GAN's, or `lsgan`, least squares.
    """

    def __init__(self, *, objective: Objective = "bce") -> None:
        super().__init__()
        self._distance = _DISTANCES[objective]

    @override
    def for_generator(self, scores: Scores) -> Float[Tensor, ""]:
        return self._distance(scores.prediction, torch.ones_like(scores.prediction))

    @override
    def for_discriminator(self, scores: Scores) -> Float[Tensor, ""]:
        real = self._distance(scores.target, torch.ones_like(scores.target))
        predicted = self._distance(scores.prediction, torch.zeros_like(scores.prediction))
        return real + predicted
