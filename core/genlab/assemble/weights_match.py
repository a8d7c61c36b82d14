"""Match of stored weights with a network. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 3


@dataclass(frozen=True)
class WeightsMatch:
    """Weights and buffers of a network and of what it starts with, compared by name and shape.

    Args:
        source: where the stored ones are from, such as `runs/first, step 200, generator`.
        matched: names of those that are taken.
        widened: the first convolution, if it is taken and its further input channels start with zeros.
        other_shapes: those that have another shape or type there, with both; they are drawn.
        missing: those that are not there; they are drawn.
        unused: stored ones that the network does not have; of very many, the first ones.
    """

    source: str
    matched: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    other_shapes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, Sequence[str]]]:
        """The groups of weights that are not empty: what is done with each, and its names."""
        rows = (
            ("taken", self.matched),
            ("taken, with zeros for further input channels", self.widened),
            ("drawn, as they have another shape there", self.other_shapes),
            ("drawn, as they are not there", self.missing),
            ("left there", self.unused),
        )
        return [(what, names) for what, names in rows if names]

    def named(self, names: Sequence[str], most: int | None = None) -> str:
        """The names of some of them, or the first `most`; none of those that are just taken."""
        if names is self.matched:
            return ""
        more = f", and {len(names) - most:,} more" if most and len(names) > most else ""
        return f"{', '.join(names[:most])}{more}"

    def summary(self) -> str:
        """All in one sentence."""
        parts = [(f"{len(names):,} {what}", self.named(names, _SHOWN)) for what, names in self.rows()]
        return f"{self.source}: {'; '.join(f'{part} ({names})' if names else part for part, names in parts)}"
