"""A batch of pairs."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from genlab.interfaces.position import Draws, Position


class Batch(NamedTuple):
    """Pairs ready for the networks: floats in [-1, 1].

    A label map is seen in its palette's colors; but as a target of a method that predicts classes it has one channel
    a class, 1 where a pixel is of the class and 0 elsewhere. For a method that needs no pairs, both sides were drawn
    independently.

    Args:
        condition: what is predicted from.
        target: what is to be predicted; `input.scale` times as high and wide as the condition.
        position: where the training is.
        draws: random numbers for these samples.
    """

    condition: Float[Tensor, "n c j k"]
    target: Float[Tensor, "n d h w"]
    position: Position = Position()
    draws: Draws = Draws()

    @property
    def sides(self) -> tuple[Tensor, Tensor]:
        """Condition and target."""
        return self.condition, self.target

    def reversed(self) -> Batch:
        """The same with the sides swapped, for the way back."""
        return self._replace(condition=self.target, target=self.condition)
