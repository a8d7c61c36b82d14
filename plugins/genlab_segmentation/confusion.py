"""Confusion matrix of classes, and the scores that follow from it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SCORES = ("pixel_accuracy", "class_accuracy", "class_iou")


class Confusion:
    """Counts of pixels by their class and the class they were taken for, over any number of images.

    Args:
        classes: how many classes there are.
    """

    def __init__(self, classes: int) -> None:
        self.counts: Int[Tensor, "d d"] = torch.zeros(classes, classes, dtype=torch.int64)

    def add(
        self,
        labels: Int[Tensor, "n h w"],
        scores: Float[Tensor, "n d h w"],
        counted: Bool[Tensor, "n h w"] | None = None,
    ) -> None:
        """Count the pixels of some images, or of these the `counted`, each taken for the class of its highest score."""
        classes = len(self.counts)
        pairs = classes * labels + scores.argmax(dim=1)
        pairs = pairs.flatten() if counted is None else pairs[counted]
        self.counts += pairs.bincount(minlength=classes**2).reshape(classes, classes).cpu()

    def merge(self, other: Confusion) -> None:
        """Merge the counts of another instance."""
        self.counts += other.counts

    def scores(self) -> dict[str, float]:
        """The scores of Long et al. 2015 (section 5, "metrics"): 0 to 1, higher is better; NaN over no pixels.

        The share of pixels whose class is right; the mean over classes of that share; and the mean over classes of
        intersection over union. A class that no label has is left out of the accuracy's mean; one that nothing was
        taken for either, of the union's.
        """
        right, of_class, taken = self.counts.diag().double(), self.counts.sum(1), self.counts.sum(0)
        union = of_class + taken - right
        return dict(
            zip(
                SCORES,
                (_mean(right.sum(), of_class.sum()), _mean(right, of_class), _mean(right, union)),
                strict=True,
            )
        )


def _mean(parts: Tensor, wholes: Tensor) -> float:
    """The mean share, of those wholes that are not empty."""
    there = wholes > 0
    return (parts[there] / wholes[there]).mean().item() if there.any() else math.nan
