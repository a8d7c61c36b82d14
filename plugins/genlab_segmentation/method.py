"""Semantic segmentation method: training of a network that predicts labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import Batch, Loss, Method, Network, Outputs, Phase, Predictions, Term, Terms, WeightedLoss


class Segmentation(Method):
    """The class of each pixel, learned from label maps: a fully convolutional network (Long et al. 2015, 1411.4038).

    The generator gives a score for every class, so its last layer should not be bounded: `generator.output = "linear"`
    for a U-Net. It minimizes the weighted sum of all losses.

    Raises:
        ValueError: if there is no loss, or an adversarial one.
    """

    predictions: ClassVar[Predictions] = "classes"

    def __init__(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
        super().__init__(networks, losses)
        if not losses:
            raise ValueError("at least one loss needs a weight above 0")
        self.supervised: dict[str, tuple[Loss, float]] = {}
        for label, (loss, weight) in losses.items():
            if not isinstance(loss, Loss):
                raise ValueError(f"the loss '{label}' is adversarial; this method has no discriminator")
            self.supervised[label] = (loss, weight)

    @override
    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition)

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self._terms)]

    def _terms(self, batch: Batch, shared: Outputs) -> Terms:
        return {
            label: Term(loss(batch.condition, batch.target, shared["prediction"]), weight)
            for label, (loss, weight) in self.supervised.items()
        }
