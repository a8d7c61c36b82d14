"""Metrics that each image has by itself, averaged over images."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from statistics import fmean

from jaxtyping import Bool, Float
from torch import Tensor
from typing_extensions import override

from genlab import Metric


class MeanOverImages(Metric):
    """Every image counts the same, so the score does not depend on how images are cut into batches.

    Values are added up in float64. The mean over no images at all is NaN.
    """

    def __init__(self) -> None:
        self.reset()

    @abstractmethod
    def score_each(
        self,
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"] | None,
    ) -> Float[Tensor, " n"]:
        """The score of each image, of the pixels that count; both sides come as float32 in [-1, 1]."""

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        self._add(self.score_each(target.detach().float(), prediction.detach().float(), None))

    @override
    def update_masked(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"],
    ) -> None:
        self._add(self.score_each(target.detach().float(), prediction.detach().float(), mask))

    def _add(self, scores: Float[Tensor, " n"]) -> None:
        self._values += scores.cpu().double().tolist()

    @override
    def compute(self) -> float:
        return fmean(self._values) if self._values else math.nan

    @override
    def per_image(self) -> Sequence[float]:
        return tuple(self._values)

    @override
    def reset(self) -> None:
        self._values: list[float] = []

    @override
    def merge(self, other: MeanOverImages) -> None:
        self._values += other.per_image()


class MeanOverPixels(MeanOverImages):
    """An image's score is that of the mean over its pixels, of those that count."""

    @abstractmethod
    def compare(
        self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]
    ) -> Float[Tensor, "n d h w"]:
        """Compare each pixel; both sides come as float32 in [-1, 1]."""

    def score(self, mean: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """The score of each image from the mean over its pixels: that mean."""
        return mean

    @override
    def score_each(
        self,
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
        mask: Bool[Tensor, "n 1 h w"] | None,
    ) -> Float[Tensor, " n"]:
        compared = self.compare(target, prediction)
        if mask is None:
            return self.score(compared.mean(dim=(1, 2, 3)))
        counted = mask.sum(dim=(1, 2, 3)).clamp(min=1) * compared.shape[1]
        return self.score((compared * mask).sum(dim=(1, 2, 3)) / counted)
