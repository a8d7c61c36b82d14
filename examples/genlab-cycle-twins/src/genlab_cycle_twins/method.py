"""Cycle-consistent translation with different networks for either way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Gt
from genlab import (
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
)
from torch import Tensor


class CycleTwins(Method):
    """Translation that learns from unpaired images, there and back (Zhu et al. 2017, arXiv 1703.10593, section 3).

    Both ways have a generator and a discriminator, which sees an image alone. Sides may differ in how much they show: a
    label map is easier to draw than a photo. So `[networks.generator_back]` and `[networks.discriminator_back]` may say
    otherwise than the way there, and `back` how much the way back counts.

    A loss that compares images compares an image with itself, translated there and back; all others are the game of
    a generator and its discriminator.

    Args:
        back: the weight of the terms of the way back, relative to those of the way there.

    Raises:
        ValueError: there is no loss that compares images.
    """

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": Role("generator", reads=("condition",), gives="target"),
        "generator_back": Role("generator", reads=("target",), gives="condition"),
        "discriminator": Role("discriminator", reads=("target",)),
        "discriminator_back": Role("discriminator", reads=("condition",)),
    }
    needs_pairs = False

    def __init__(
        self,
        networks: Mapping[str, Network],
        losses: Mapping[str, WeightedLoss],
        *,
        back: Annotated[float, Gt(0)] = 1.0,
    ) -> None:
        super().__init__(networks, losses)
        self.game = {label: loss for label, loss in losses.items() if not isinstance(loss.loss, Loss)}
        if self.game.keys() == losses.keys():
            raise ValueError("there is no loss that compares images, so nothing ties a translation to its image")
        self.back = back

    def forward(self, batch: Batch) -> Outputs:
        there, back = self.predict(batch.condition), self.predict_condition(batch.target)
        return {
            "prediction": there,
            "prediction_back": back,
            "cycled_condition": self.predict_condition(there),
            "cycled_target": self.predict(back),
        }

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition).tanh()

    def predict_condition(self, target: Tensor) -> Tensor:
        return self.networks["generator_back"](target).tanh()

    def phases(self) -> Sequence[Phase]:
        generators = Phase("generators", ("generator", "generator_back"), self._generator_terms)
        if "discriminator" not in self.networks:
            return [generators]
        return [
            generators,
            *discriminator_phases("discriminator", self.game, self._judged),
            *discriminator_phases("discriminator_back", self.game, self._judged_back),
        ]

    def _judged(self, batch: Batch, outputs: Outputs) -> StepContext:
        return self.step(batch, outputs["prediction"].detach())

    def _judged_back(self, batch: Batch, outputs: Outputs) -> StepContext:
        return self.step(batch, outputs["prediction_back"].detach(), "discriminator_back")

    def _generator_terms(self, batch: Batch, outputs: Outputs) -> Terms:
        reverse = batch.reversed()
        there = generator_terms(self.game, self.step(batch, outputs["prediction"]))
        back = generator_terms(self.game, self.step(batch, outputs["prediction_back"], "discriminator_back"))
        terms = {**there, **self._scaled(back)}
        for label, (loss, weight) in self.losses.items():
            if not isinstance(loss, Loss):
                continue
            terms[label] = Term(loss(*batch.sides, outputs["cycled_target"]), weight.at(batch.position))
            cycled = Term(loss(*reverse.sides, outputs["cycled_condition"]), weight.at(batch.position))
            terms |= self._scaled({label: cycled})
        return terms

    def _scaled(self, terms: Terms) -> Terms:
        """The terms of the way back, by names of their own."""
        return {f"{name}_back": Term(term.value, term.weight * self.back) for name, term in terms.items()}
