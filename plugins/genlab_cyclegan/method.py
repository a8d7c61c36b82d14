"""Method of CycleGAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from genlab import (
    GENERATOR,
    Batch,
    Loss,
    Method,
    Network,
    Outputs,
    Phase,
    Role,
    StepContext,
    Term,
    Terms,
    WeightedLoss,
    discriminator_phases,
    generator_terms,
    needs_discriminator,
    objective_side,
)
from genlab_cyclegan.image_pool import ImagePool

_GENERATORS = ("generator", "generator_back")
_DISCRIMINATORS = ("discriminator", "discriminator_back")


class CycleGAN(Method):
    """Image-to-image translation that learns from unpaired images (Zhu et al. 2017, arXiv 1703.10593).

    One generator predicts targets from conditions, a second one conditions from targets; each has a discriminator,
    which sees an image alone (section 3). A step updates both generators by one objective, and then each
    discriminator by half of its own (section 7.1). What the losses of a recipe are:

    - Adversarial losses, and other objectives, are each generator's game with its discriminator (equation 1).
    - A loss that compares a prediction with a target is a cycle consistency loss (equation 2): a condition that was
      translated there and back is to be the condition again, and a target the target. Its weight is that of equation
      3, which is 10 in section 4.
    - With `identity`, each of these also compares what a generator makes of an image that is of its target's side
      already with that image (section 5.2). For this, both sides have as many channels.

    A recipe can also do without one of both, as in the comparisons of section 5.1.4: with the game alone, or with
    cycle consistency alone, where there are no discriminators.

    Args:
        identity: the weight of identity terms, relative to the cycle consistency's; 0 leaves them out. For photos of
            paintings it is 0.5 (section 7.1).
        discriminator_weight: a factor on the discriminators' side of adversarial losses; the paper halves it, to slow
            them down.
        pool_size: each discriminator sees earlier predictions in place of half of the newest ones, drawn from this
            many (section 4); 0 shows it the newest ones only.

    Raises:
        ValueError: if no loss is the generators', a loss needs discriminators and one is missing, or there are identity
            terms and the sides have different channels.
    """

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": GENERATOR,
        "generator_back": Role("generator", reads=("target",), gives="condition", like="generator"),
        "discriminator": Role("discriminator", reads=("target",)),
        "discriminator_back": Role("discriminator", reads=("condition",), like="discriminator"),
    }
    needs_pairs: ClassVar[bool] = False
    remembers_images: ClassVar[bool] = True

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        channels: Mapping[str, int],
        *,
        identity: Annotated[float, Ge(0)] = 0.0,
        discriminator_weight: Annotated[float, Gt(0)] = 0.5,
        pool_size: Annotated[int, Ge(0)] = 50,
    ) -> None:
        super().__init__(networks, losses)
        self.identity = identity
        self.discriminator_weight = discriminator_weight
        self.pool_size = pool_size
        self._pools = {role: ImagePool(pool_size) for role in _DISCRIMINATORS if role in networks}
        self._cycle = {label: weighted for label, weighted in losses.items() if isinstance(weighted.loss, Loss)}
        self._game = {label: weighted for label, weighted in losses.items() if label not in self._cycle}
        _check_losses(networks, losses)
        if identity and channels["condition"] != channels["target"]:
            given = f"the condition has {channels['condition']} and the target {channels['target']}"
            raise ValueError(f"`identity` needs sides of as many channels, and {given}; 0 leaves it out")

    @override
    def forward(self, batch: Batch) -> Outputs:
        outputs = {
            "prediction": self.predict(batch.condition),
            "prediction_back": self.predict_condition(batch.target),
        }
        newest = zip(_DISCRIMINATORS, outputs.values(), strict=True)
        shown = {
            role: self._pools[role].exchanged(prediction.detach(), batch.draws)
            for role, prediction in newest
            if role in self._pools
        }
        return {**outputs, **shown}

    @override
    def predict(self, condition: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self.networks["generator"](condition).tanh()

    @override
    def predict_condition(self, target: Float[Tensor, "n d h w"]) -> Float[Tensor, "n c h w"]:
        return self.networks["generator_back"](target).tanh()

    @override
    def phases(self) -> Sequence[Phase]:
        generators = Phase("generators", _GENERATORS, self._generator_terms)
        return [generators, *(phase for role in self._pools for phase in self._discriminator_phases(role))]

    def _discriminator_phases(self, role: str) -> Sequence[Phase]:
        return discriminator_phases(
            role,
            self._game,
            lambda batch, outputs: self.step(batch, outputs[role], role),
            weight=self.discriminator_weight,
        )

    def _generator_terms(self, batch: Batch, outputs: Outputs) -> Terms:
        there, back = outputs["prediction"], outputs["prediction_back"]
        found = {
            "forward": {
                **generator_terms(self._game, self.step(batch, there)),
                **self._compared(batch, there, batch.condition, self.predict_condition(there)),
            },
            "back": {
                **generator_terms(self._game, self.step(batch, back, "discriminator_back")),
                **self._compared(batch, back, batch.target, self.predict(back)),
            },
        }
        if self.identity and self._cycle:
            found |= self._identity_terms(batch)
        return {f"{part}/{label}": term for part, terms in found.items() for label, term in terms.items()}

    def _identity_terms(self, batch: Batch) -> dict[str, Terms]:
        condition, target = batch.sides
        found = {
            "identity": self._compared(batch, target, target, self.predict(target)),
            "identity_back": self._compared(batch, condition, condition, self.predict_condition(condition)),
        }
        return {
            part: {label: Term(value, self.identity * weight) for label, (value, weight) in terms.items()}
            for part, terms in found.items()
        }

    def _compared(self, batch: Batch, condition: Tensor, target: Tensor, prediction: Tensor) -> Terms:
        """The terms of the losses that compare a prediction with a target."""
        return generator_terms(self._cycle, StepContext(batch._replace(condition=condition, target=target), prediction))

    @override
    def state(self) -> Mapping[str, Tensor]:
        return {f"pool/{role}": torch.stack(pool.images) for role, pool in self._pools.items() if pool.images}

    @override
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        for role, pool in self._pools.items():
            pool.images = list(state.get(f"pool/{role}", ()))


def _check_losses(networks: Mapping[str, Network], losses: Mapping[str, WeightedLoss]) -> None:
    if all(objective_side(loss) == "discriminator" for loss, _ in losses.values()):
        raise ValueError("at least one loss of the generators needs a weight above 0")
    for label, (loss, _) in losses.items():
        if needs_discriminator(loss) and any(role not in networks for role in _DISCRIMINATORS):
            raise ValueError(f"the loss '{label}' needs two discriminators; name them, or give the loss a weight of 0")
