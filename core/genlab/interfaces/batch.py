"""A batch of pairs."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import interpolate

from genlab.interfaces.position import Draws, Position


class Batch(NamedTuple):
    """Pairs ready for the networks: floats in [-1, 1].

    A label map is seen in its palette's colors; but as a target of a method that predicts classes it has one channel
    a class, 1 where a pixel is of the class and 0 elsewhere, and 0 in all of them where a pixel does not count. For a
    method that needs no pairs, both sides were drawn independently.

    Args:
        condition: what is predicted from.
        target: what is to be predicted; `input.scale` times as high and wide as the condition.
        position: where the training is.
        draws: random numbers for these samples.
        mask: true where a pixel of the target counts; None where all do.
    """

    condition: Float[Tensor, "n c j k"]
    target: Float[Tensor, "n d h w"]
    position: Position = Position()
    draws: Draws = Draws()
    mask: Bool[Tensor, "n 1 h w"] | None = None

    @property
    def sides(self) -> tuple[Tensor, Tensor]:
        """Condition and target."""
        return self.condition, self.target

    def reversed(self) -> Batch:
        """The same with the sides swapped, for the way back."""
        mask = self.mask
        if mask is not None and mask.shape[-2:] != self.condition.shape[-2:]:
            mask = interpolate(mask.float(), self.condition.shape[-2:], mode="nearest-exact") > 0
        return self._replace(condition=self.target, target=self.condition, mask=mask)

    def compared(self, prediction: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h w"]:
        """A prediction as losses, discriminators and metrics see it: the target where a pixel does not count."""
        return prediction if self.mask is None else torch.where(self.mask, prediction, self.target)
