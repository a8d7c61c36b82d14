"""Semantic segmentation method: training of a network that predicts labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import (
    Batch,
    Method,
    Network,
    Outputs,
    Phase,
    Predictions,
    StepContext,
    Terms,
    WeightedLoss,
    generator_terms,
    needs_discriminator,
)


class Segmentation(Method):
    """The class of each pixel, learned from label maps: a fully convolutional network (Long et al. 2015, 1411.4038).

    The generator gives a score for every class. It minimizes the weighted sum of all losses.

    Raises:
        ValueError: if there is no loss, or one that needs a discriminator.
    """

    predictions: ClassVar[Predictions] = "classes"
    follows_masks: ClassVar[bool] = True

    def __init__(self, networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
        super().__init__(networks, losses)
        if not losses:
            raise ValueError("at least one loss needs a weight above 0")
        for label, (loss, _) in losses.items():
            if needs_discriminator(loss):
                raise ValueError(f"the loss '{label}' needs a discriminator, and this method has none")

    @override
    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition)

    @override
    def phases(self) -> Sequence[Phase]:
        return [Phase("generator", ("generator",), self._terms)]

    def _terms(self, batch: Batch, outputs: Outputs) -> Terms:
        return generator_terms(self.losses, StepContext(batch, outputs["prediction"]))
