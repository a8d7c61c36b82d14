"""A metric that each image has by itself, averaged over images."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from statistics import fmean

from jaxtyping import Float
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
    def measure(self, target: Float[Tensor, "n d h w"], prediction: Float[Tensor, "n d h w"]) -> Float[Tensor, " n"]:
        """The score of each image; both sides come as float32 in [-1, 1]."""

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        values = self.measure(target.detach().float(), prediction.detach().float()).cpu().double()
        self._values += values.tolist()

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
