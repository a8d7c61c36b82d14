"""Parts of SVG drawings: elements, colors, axes, and labels that do not overlap. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from rich.cells import cell_len

# Colors that people with any color vision can tell apart (Okabe and Ito 2008); gray for yellow, too light for a line.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#888888")
FONT = 'font-family="system-ui, sans-serif"'
_LETTER = 0.62
"""Mean width of a letter, as a part of the font's size; fonts differ, so it is generous."""


def color_of(index: int) -> str:
    """Color of a curve by its index."""
    return COLORS[index % len(COLORS)]


def dash_of(index: int) -> str:
    """Attribute of a curve's stroke by its index: dashed once the colors are used up."""
    return "" if index < len(COLORS) else ' stroke-dasharray="6 3"'


def svg(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """An `<svg>` element of that size in pixels, with a label for screen readers."""
    size = f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


class AxisScale:
    """Scale from values to positions in the drawing; a range of one value has it at the end."""

    def __init__(self, first: float, last: float, begin: float, end: float) -> None:
        self.first, self.last, self.begin, self.end = first, last, begin, end

    def __call__(self, value: float) -> float:
        """Position of a value."""
        share = (value - self.first) / (self.last - self.first) if self.last != self.first else 1.0
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Axis ticks: multiples of 1, 2, 2.5 or 5 times a power of ten."""
        least = (self.last - self.first) / most or 1
        power = 10 ** math.floor(math.log10(least))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least)
        return [step * number for number in range(math.ceil(self.first / step), math.floor(self.last / step) + 1)]


def text_width(words: str, size: float) -> float:
    """Estimate of a text's width in pixels, in a proportional font of that size."""
    return (cell_len(words) + 1) * _LETTER * size


def shortened(words: str, width: float, size: float) -> str:
    """A text that is no wider than `width` pixels; what is left out of its middle is an ellipsis."""
    kept = len(words)
    while text_width(found := _without_middle(words, kept), size) > width and kept:
        kept -= 1
    return found


def _without_middle(words: str, kept: int) -> str:
    return words if kept == len(words) else f"{words[: kept - kept // 2]}…{words[len(words) - kept // 2 :]}"


def separated(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places at least `gap` apart and from `low` to `high`, moved no farther than that takes, in the same order."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(places, kind="stable")
    offsets = gap * np.arange(len(places))
    moved = isotonic_regression(np.asarray(places, np.float64)[order] - offsets).x
    found = np.empty(len(places))
    found[order] = np.clip(moved, low, max(low, high - gap * (len(places) - 1))) + offsets
    return found.tolist()
