"""How good predictions are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor


class Metric(ABC):
    """A figure over a set of predictions, which does not depend on how the set is cut into batches."""

    better: ClassVar[Literal["lower", "higher"]]

    @abstractmethod
    def update(
        self,
        condition: Float[Tensor, "n c h w"],
        target: Float[Tensor, "n d h w"],
        prediction: Float[Tensor, "n d h w"],
    ) -> None:
        """Count in one batch; all three in [-1, 1], on any device."""

    @abstractmethod
    def compute(self) -> float:
        """The figure over everything since the last reset."""

    @abstractmethod
    def reset(self) -> None:
        """Forget what was counted."""
