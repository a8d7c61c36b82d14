"""Method of pix2pix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import (
    DISCRIMINATOR,
    GENERATOR,
    Batch,
    Method,
    Network,
    Outputs,
    Phase,
    Role,
    Terms,
    WeightedLoss,
    discriminator_phases,
    generator_terms,
    needs_discriminator,
    objective_side,
)


class Pix2Pix(Method):
    """Image-to-image translation with a conditional GAN (Isola et al. 2017, arXiv 1611.07004).

    A step updates the discriminator once and then the generator once (section 3.3). The generator minimizes the
    weighted sum of all losses, as in equation 4 with L1 at a weight of 100; the discriminator its own side of each
    adversarial loss (equation 1), times `discriminator_weight` whatever the generator's weight is, and penalties by
    their own weights. Without a loss that needs a discriminator there is the generator's update alone (equation 3).

    A prediction that is larger than its condition is judged beside the condition enlarged to its size.

    Args:
        discriminator_weight: a factor on the discriminator's side of adversarial losses; the paper halves it, to slow
            it down.
        discriminator_steps: updates of the discriminator in a step, each with another batch; Wasserstein GANs take 5
            (Arjovsky et al. 2017, algorithm 1).

    Raises:
        ValueError: if no loss is the generator's, or a loss needs a discriminator and there is none.
    """

    roles: ClassVar[Mapping[str, Role]] = {"generator": GENERATOR, "discriminator": DISCRIMINATOR}
    follows_masks: ClassVar[bool] = True

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        *,
        discriminator_weight: Annotated[float, Gt(0)] = 0.5,
        discriminator_steps: Annotated[int, Ge(1), Le(1000)] = 1,
    ) -> None:
        super().__init__(networks, losses)
        self.discriminator_weight = discriminator_weight
        self.discriminator_steps = discriminator_steps
        if all(objective_side(loss) == "discriminator" for loss, _ in losses.values()):
            raise ValueError("at least one loss of the generator needs a weight above 0")
        for label, (loss, _) in losses.items():
            if needs_discriminator(loss) and "discriminator" not in networks:
                what = f"the loss '{label}' needs a discriminator; name one, or give the loss a weight of 0"
                raise ValueError(what)

    @override
    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    @override
    def predict(self, condition: Float[Tensor, "n c j k"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition).tanh()

    @override
    def phases(self) -> Sequence[Phase]:
        generator = Phase("generator", ("generator",), self._generator_terms)
        if "discriminator" not in self.networks:
            return [generator]
        game = discriminator_phases(
            "discriminator",
            self.losses,
            lambda batch, outputs: self.step(batch, outputs["prediction"].detach()),
            weight=self.discriminator_weight,
            repeats=self.discriminator_steps,
        )
        return [*game, generator]

    def _generator_terms(self, batch: Batch, outputs: Outputs) -> Terms:
        return generator_terms(self.losses, self.step(batch, outputs["prediction"]))
