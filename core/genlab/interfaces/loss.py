"""Losses: objectives of training. A loss is a mean, independent of batch size and image size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab.interfaces.predictions import Predictions

Image = Float[Tensor, "n c h w"]
Scores = Float[Tensor, "n 1 i j"]
Scalar = Float[Tensor, ""]


class Loss(nn.Module, ABC):
    """A measure of how far a prediction is from its target.

    A recipe gives every loss a `weight` next to the settings, so no setting may have that name. The class says in
    `predictions` which it takes; with classes, the target has one channel a class, 1 where a pixel is of the class and
    0 elsewhere.
    """

    predictions: ClassVar[Predictions] = "images"

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    @override
    def forward(
        self,
        condition: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Scalar:
        """Compute the mean over the batch, lower for better predictions; differentiable by the prediction."""


class AdversarialLoss(nn.Module, ABC):
    """Adversarial loss of a generator and a discriminator; a recipe's `weight` applies to the generator's."""

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def for_generator(self, prediction_scores: Scores) -> Scalar:
        """Low when the prediction passes as real."""

    @abstractmethod
    def for_discriminator(self, target_scores: Scores, prediction_scores: Scores) -> Scalar:
        """Low when the discriminator separates real images from predictions; the sum of both terms."""
