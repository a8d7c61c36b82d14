"""Method of pix2pix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Gt
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import (
    AdversarialLoss,
    Batch,
    Discriminator,
    Loss,
    Method,
    Network,
    Outputs,
    Phase,
    Term,
    Terms,
    WeightedLoss,
)


class Pix2Pix(Method):
    """Image-to-image translation with a conditional GAN (Isola et al. 2017, arXiv 1611.07004).

    A step updates the discriminator once and then the generator once (section 3.3). The generator minimizes the
    weighted sum of all losses, as in equation 4 with L1 at a weight of 100; the discriminator its own side of each
    adversarial loss (equation 1), times `discriminator_weight` whatever the generator's weight is. Without an
    adversarial loss there is the generator's update alone (equation 3).

    Args:
        discriminator_weight: a factor on the discriminator's objective; the paper halves it, to slow it down.

    Raises:
        ValueError: if a loss is adversarial and there is no discriminator.
    """

    roles: ClassVar[tuple[str, ...]] = ("generator", "discriminator")

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        *,
        discriminator_weight: Annotated[float, Gt(0)] = 0.5,
    ) -> None:
        super().__init__(networks, losses)
        if not losses:
            raise ValueError("at least one loss needs a weight above 0")
        self.discriminator_weight = discriminator_weight
        self.adversarial: dict[str, tuple[AdversarialLoss, float]] = {}
        self.supervised: dict[str, tuple[Loss, float]] = {}
        for label, (loss, weight) in losses.items():
            if isinstance(loss, AdversarialLoss):
                self.adversarial[label] = (loss, weight)
            else:
                self.supervised[label] = (loss, weight)
        if self.adversarial and "discriminator" not in networks:
            label = next(iter(self.adversarial))
            raise ValueError(
                f"the loss '{label}' is adversarial and needs a discriminator; name one, or give the loss a weight of 0"
            )

    @override
    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition)

    @override
    def phases(self) -> Sequence[Phase]:
        generator = Phase("generator", ("generator",), self._generator_terms)
        if not self.adversarial:
            return [generator]
        return [Phase("discriminator", ("discriminator",), self._discriminator_terms), generator]

    def _discriminator_terms(self, batch: Batch, shared: Outputs) -> Terms:
        discriminator = self.networks["discriminator"]
        assert isinstance(discriminator, Discriminator)
        images = (batch.target, shared["prediction"].detach())
        target_scores, prediction_scores = discriminator.score_each(batch.condition, images)
        return {
            label: Term(loss.for_discriminator(target_scores, prediction_scores), self.discriminator_weight)
            for label, (loss, _) in self.adversarial.items()
        }

    def _generator_terms(self, batch: Batch, shared: Outputs) -> Terms:
        prediction = shared["prediction"]
        terms = {
            label: Term(loss(batch.condition, batch.target, prediction), weight)
            for label, (loss, weight) in self.supervised.items()
        }
        if self.adversarial:
            scores = self.networks["discriminator"](batch.condition, prediction)
            for label, (loss, weight) in self.adversarial.items():
                terms[label] = Term(loss.for_generator(scores), weight)
        return terms
