"""Quality of predicted labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import Metric, Predictions
from genlab_segmentation.confusion import SCORES, Confusion


class SegmentationScores(Metric):
    """Per-pixel accuracy, per-class accuracy and class IoU (Long et al. 2015, section 5) over all images' pixels.

    Pixels that do not count, as those of an ignored value, are left out.
    """

    higher_is_better: ClassVar[bool] = True
    predictions: ClassVar[Predictions] = "classes"
    scores: ClassVar[Sequence[str]] = SCORES

    def __init__(self) -> None:
        self.reset()

    @override
    def update(
        self,
        condition: Float[Tensor, "n c j k"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        if self._confusion is None:
            self._confusion = Confusion(target.shape[1])
        self._confusion.add(target.argmax(dim=1), prediction, target.any(dim=1))

    @override
    def compute(self) -> Mapping[str, float]:
        return (self._confusion or Confusion(1)).scores()

    @override
    def reset(self) -> None:
        self._confusion: Confusion | None = None

    @override
    def merge(self, other: SegmentationScores) -> None:
        if other._confusion is not None:
            self._confusion = self._confusion or Confusion(len(other._confusion.counts))
            self._confusion.merge(other._confusion)
