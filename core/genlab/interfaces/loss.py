"""Losses of a recipe: what the updates of a training minimize."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab.interfaces.predictions import Predictions
from genlab.interfaces.step_context import StepContext

ScoreMap = Float[Tensor, "n 1 i j"]
Scalar = Float[Tensor, ""]


class Loss(nn.Module, ABC):
    """A measure of how far a prediction is from its target.

    A recipe gives every loss a `weight` next to the settings, so no setting may have that name. The class says in
    `predictions` which it takes; with classes, the target has one channel a class, 1 where a pixel is of the class and
    0 elsewhere. A class that is not lowest where the prediction is the target says `least_at_target = False`; one whose
    value is not a mean over images, `is_mean = False`; and one that remembers images in its buffers,
    `remembers_images = True`: a training on several devices, or over several batches a step, has to know.

    Where a pixel does not count, prediction and target are equal, or for classes 0 in all channels. One whose value is
    the mean over pixels of what each adds by itself, and adds 0 there, says `is_pixelwise = True`: the mean is then
    that over the pixels that count. Others see equal pixels, and no gradient reaches the generator through them.
    """

    predictions: ClassVar[Predictions] = "images"
    least_at_target: ClassVar[bool] = True
    is_pixelwise: ClassVar[bool] = False
    is_mean: ClassVar[bool] = True
    remembers_images: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    @override
    def forward(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> Scalar:
        """Compute the mean over the batch, lower for better predictions; differentiable by the prediction."""

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None


class Scores:
    """One map of scores of the target, and the same of the prediction; each is computed when it is first asked for.

    Args:
        target: computes the scores of the target.
        prediction: computes those of the prediction.

    Attributes:
        target: scores of the target, (n, 1, i, j).
        prediction: scores of the prediction, (n, 1, i, j).
    """

    def __init__(self, target: Callable[[], ScoreMap], prediction: Callable[[], ScoreMap]) -> None:
        self._target = target
        self._prediction = prediction

    @cached_property
    def target(self) -> ScoreMap:
        """Scores of the target, (n, 1, i, j)."""
        return self._target()

    @cached_property
    def prediction(self) -> ScoreMap:
        """Scores of the prediction, (n, 1, i, j)."""
        return self._prediction()


class AdversarialLoss(nn.Module, ABC):
    """Adversarial loss of a generator and a discriminator; a recipe's `weight` applies to the generator's.

    Both sides are computed for each map of scores, and the mean over maps counts. Scores that one side asks for are
    computed for it: a relativistic loss asks for both, others spare the generator's update the scores of the target.
    `is_mean = False` and `remembers_images = True` are as in `Loss`.
    """

    is_mean: ClassVar[bool] = True
    remembers_images: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def for_generator(self, scores: Scores) -> Scalar:
        """Low when the prediction passes as real."""

    @abstractmethod
    def for_discriminator(self, scores: Scores) -> Scalar:
        """Low when the discriminator separates real images from predictions; the sum of both terms."""

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None


class Objective(nn.Module, ABC):
    """A term of the generator's or the discriminator's objective that sees the step, such as a penalty on gradients.

    A class says in `side` whose objective it belongs to, in `needs_discriminator` whether it needs one, in
    `needs_features` that it reads the discriminator's features, in `needs_independent_scores` that the scores of an
    image must not depend on the others of the batch, as batch norm makes them, and in `needs_pairs` that it compares a
    prediction with the target of its condition. Its constructor may set `every`: it is then computed at each so many
    steps only, with as many times its weight (lazy regularization; Karras et al. 2020, arXiv 1912.04958, appendix B).
    `is_mean` and `remembers_images` are as in `Loss`.
    """

    side: ClassVar[Literal["generator", "discriminator"]] = "generator"
    needs_discriminator: ClassVar[bool] = True
    needs_features: ClassVar[bool] = False
    needs_independent_scores: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = False
    is_mean: ClassVar[bool] = True
    remembers_images: ClassVar[bool] = False
    every: int = 1

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    @override
    def forward(self, step: StepContext) -> Scalar:
        """Compute the mean over the batch."""

    def fingerprint(self) -> str | None:
        """Hash of what it loads in other ways than by a `Path` among its settings; None by default.

        A run remembers it, and is not resumed with another. What is at a path is hashed without it.
        """
        return None


AnyLoss = Loss | AdversarialLoss | Objective
