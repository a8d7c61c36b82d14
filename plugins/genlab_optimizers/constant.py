"""A constant rate."""

from __future__ import annotations

from typing_extensions import override

from genlab import Position, Schedule


class Constant(Schedule):
    """The optimizer's own rate, from the first step to the last."""

    @override
    def factor(self, position: Position) -> float:
        return 1.0
