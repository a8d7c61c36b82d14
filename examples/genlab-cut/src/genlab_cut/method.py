"""Contrastive unpaired translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import genlab
import torch
from annotated_types import Ge, Gt
from genlab import Batch, Outputs, Phase, Role, StepContext, Term, Terms
from torch import Tensor
from torch.nn.functional import cross_entropy


class CUT(genlab.Method):
    """Unpaired translation in which a patch stays like the one that it was (Park et al. 2020, arXiv 2007.15651).

    The features of a patch of the prediction are to tell the patch of the condition at the same place from others of
    the same image (InfoNCE, equation 3). They are those of the generator's encoder, projected by the role `heads`.

    A loss of the recipe that compares images compares a target with what the generator makes of it (section 3, the
    paper by patches); sides then have as many channels. All others are the game with a discriminator, which sees an
    image alone.

    Args:
        patches: how many places of each image are compared; the paper has 256.
        temperature: what similarities are divided by.
        contrast: the weight of the patches (lambda X in equation 4).
    """

    roles: ClassVar[Mapping[str, Role]] = {
        "generator": Role("generator", reads=("condition",), gives="target"),
        "heads": Role("network", reads=("generator",)),
        "discriminator": Role("discriminator", reads=("target",)),
    }
    needs_pairs = False

    def __init__(
        self,
        networks: Mapping[str, genlab.Network],
        losses: Mapping[str, genlab.WeightedLoss],
        channels: Mapping[str, int],
        *,
        patches: Annotated[int, Ge(2)] = 256,
        temperature: Annotated[float, Gt(0)] = 0.07,
        contrast: Annotated[float, Gt(0)] = 1.0,
    ) -> None:
        super().__init__(networks, losses)
        self.identity = {label: loss for label, loss in losses.items() if isinstance(loss.loss, genlab.Loss)}
        self.game = {label: loss for label, loss in losses.items() if label not in self.identity}
        if self.identity and channels["condition"] != channels["target"]:
            raise ValueError("losses that compare images need sides of as many channels")
        self.patches, self.temperature, self.contrast = patches, temperature, contrast

    def forward(self, batch: Batch) -> Outputs:
        return {"prediction": self.predict(batch.condition)}

    def predict(self, condition: Tensor) -> Tensor:
        return self.networks["generator"](condition).tanh()

    def phases(self) -> Sequence[Phase]:
        generator = Phase("generator", ("generator", "heads"), self._generator_terms)
        if "discriminator" not in self.networks:
            return [generator]
        return [*genlab.discriminator_phases("discriminator", self.game, self._judged), generator]

    def _judged(self, batch: Batch, outputs: Outputs) -> StepContext:
        return self.step(batch, outputs["prediction"].detach())

    def _generator_terms(self, batch: Batch, outputs: Outputs) -> Terms:
        terms = dict(genlab.generator_terms(self.game, self.step(batch, outputs["prediction"])))
        terms["patches"] = Term(self._info_nce(batch, outputs["prediction"]), self.contrast)
        if self.identity:
            target = Batch(batch.target, batch.target, batch.position, batch.draws)
            terms |= genlab.generator_terms(self.identity, StepContext(target, self.predict(batch.target)))
        return terms

    def _info_nce(self, batch: Batch, prediction: Tensor) -> Tensor:
        """How well patches of the prediction tell their own patch of the condition from others, (); lower is better."""
        generator, heads = self.networks["generator"], self.networks["heads"]
        before, after = generator.features(batch.condition), generator.features(prediction)
        count = min(self.patches, *(feature[0, 0].numel() for feature in before))
        places = [
            batch.draws.normal(f"places {number}", feature[:, 0].flatten(1)).argsort()[:, :count]
            for number, feature in enumerate(before)
        ]
        own = heads(*map(at_places, before, places)).detach()
        predicted = heads(*map(at_places, after, places))
        similar = torch.einsum("ncpk,ncqk->nkpq", predicted, own) / self.temperature
        answers = torch.arange(count, device=similar.device).expand(similar.shape[:3])
        return cross_entropy(similar.flatten(0, 2), answers.flatten())


def at_places(feature: Tensor, places: Tensor) -> Tensor:
    """The vectors (n, c, p, 1) of a feature (n, c, h, w) at places (n, p), counted row by row."""
    flat = feature.flatten(2)
    return flat.gather(2, places[:, None].expand(-1, flat.shape[1], -1)).unsqueeze(-1)
