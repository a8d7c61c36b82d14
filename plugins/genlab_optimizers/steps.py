"""A rate that falls in steps."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Le, MinLen
from typing_extensions import override

from genlab import Position, Schedule
from genlab_optimizers.settings import UpToOne


class Steps(Schedule):
    """A rate that falls at once, by the same factor each time.

    Args:
        at: the shares of the training after which it falls.
        factor: what is left of the rate each time.
    """

    def __init__(
        self,
        *,
        at: Annotated[list[Annotated[float, Gt(0), Le(1)]], MinLen(1)] = [0.5, 0.75],  # noqa: B006  (never changed)
        factor: UpToOne = 0.1,
    ) -> None:
        self.at = at
        self.left = factor

    @override
    def factor(self, position: Position) -> float:
        return self.left ** sum(position.step >= share * position.steps for share in self.at)
