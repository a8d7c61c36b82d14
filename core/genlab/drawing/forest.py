"""Forest plots: differences from zero with their intervals, as SVG. Importing this imports no torch."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from genlab.drawing.svg import FONT, AxisScale, color_of, svg, text_width

_WIDTH, _BESIDE, _MARGIN = 960, 282, 16
_TOP, _BOTTOM, _ROW = 48, 44, 48
_SIZE, _LINE, _MOST_LETTERS = 13, 17, 36
_BEYOND = 4
"""Intervals are cut off where they reach farther beyond the dots than this times the range of the dots and zero."""
_BETTER_SIDE = "#edf4f0"


@dataclass(frozen=True)
class ForestRow:
    """One difference.

    Args:
        dots: what it is the mean of, by name, such as a seed's; those that are not finite are left out.
        mean: the mean; not drawn if it is not finite.
        low: lower end of its interval, if it has one.
        high: its upper end.
        words: lines of text beside it, the first in bold.
    """

    dots: Mapping[str, float]
    mean: float
    low: float | None
    high: float | None
    words: Sequence[str]


def draw_forest(rows: Mapping[str, ForestRow], label: str, zero: str, higher_is_better: bool) -> str:
    """Draw a row for each difference: its dots, its mean and its interval, across a line at zero.

    Args:
        rows: by name without spaces, such as an arm's; colors begin with the second one, as `zero` has the first.
        label: label of the axis.
        zero: name of what the differences are from.
        higher_is_better: True if a positive difference is an improvement.

    Returns:
        An `<svg>` element; empty if no dot is finite.
    """
    dots = [dot for row in rows.values() for dot in row.dots.values() if math.isfinite(dot)]
    if not dots:
        return ""
    names = [_wrapped(name) for name in rows]
    left = round(2 * _MARGIN + max(text_width(line, _SIZE) for lines in names for line in lines))
    along = _along([*dots, 0.0], rows.values(), left)
    heights = [max(_ROW, _LINE * (len(lines) + 1)) for lines in names]
    bottom = _TOP + sum(heights)
    parts = [
        _ground(along, bottom, higher_is_better),
        _axis(along, bottom, label),
        _head(along, zero, higher_is_better),
    ]
    y = _TOP
    for index, (row, lines, height) in enumerate(zip(rows.values(), names, heights, strict=True), start=1):
        middle = y + height / 2
        parts.append(f'<path d="M{_MARGIN} {y}H{_WIDTH - _MARGIN}" stroke="#ddd"/>')
        parts += [_lines(_MARGIN, middle, lines), *_marks(row, along, middle, color_of(index))]
        parts.append(_lines(along.end + _MARGIN, middle, row.words, first='font-weight="600"'))
        y += height
    direction = "higher is better" if higher_is_better else "lower is better"
    white = '<rect width="100%" height="100%" fill="white"/>'
    whole = f'<g {FONT} font-size="{_SIZE}" fill="#222">{"".join(parts)}</g>'
    spoken = "; ".join(f"{name} {', '.join(row.words)}" for name, row in rows.items())
    return svg(_WIDTH, bottom + _BOTTOM, f"{label}, {direction}: {spoken}", [white, whole])


def _wrapped(name: str) -> list[str]:
    """Lines of a long name, which breaks after a sign if it can."""
    words = re.sub(r"([^\w.]|_)", r"\1 ", name)
    return [line.replace(" ", "") for line in textwrap.wrap(words, _MOST_LETTERS)]


def _along(dots: Sequence[float], rows: Iterable[ForestRow], left: float) -> AxisScale:
    """Scale of the axis, on which all dots and zero are, and intervals as far as they leave room for these."""
    beyond = _BEYOND * (max(dots) - min(dots))
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    low = min([*dots, *(max(end, min(dots) - beyond) for end in ends)])
    high = max([*dots, *(min(end, max(dots) + beyond) for end in ends)])
    margin = 0.04 * (high - low) or 0.5
    return AxisScale(low - margin, high + margin, left, _WIDTH - _BESIDE)


def _ground(along: AxisScale, bottom: float, higher_is_better: bool) -> str:
    """The side that is better, in a light color, and the line at zero."""
    x = along(0)
    begin, end = (x, along.end) if higher_is_better else (along.begin, x)
    side = f'<rect x="{begin}" y="{_TOP}" width="{end - begin:.1f}" height="{bottom - _TOP}" fill="{_BETTER_SIDE}"/>'
    return f'{side}<path d="M{x} {_TOP - 6}V{bottom}" stroke="#222"/>'


def _axis(along: AxisScale, bottom: float, label: str) -> str:
    parts: list[str] = []
    for value in along.ticks(5):
        x = along(value)
        parts.append(f'<path d="M{x} {bottom}v5" stroke="#555"/>')
        parts.append(f'<text x="{x}" y="{bottom + 18}">{value:.6g}</text>')
    parts.append(f'<path d="M{along.begin:.1f} {bottom}H{along.end}" stroke="#555"/>')
    parts.append(f'<text x="{(along.begin + along.end) / 2:.1f}" y="{bottom + 36}">{escape(label)}</text>')
    return f'<g font-size="11" fill="#555" text-anchor="middle">{"".join(parts)}</g>'


def _head(along: AxisScale, zero: str, higher_is_better: bool) -> str:
    """The name of zero, and which side of it is better."""
    x, half = along(0), text_width(zero, _SIZE) / 2
    middle = max(along.begin + half, min(x, along.end - half)) if 2 * half < along.end - along.begin else x
    before, after = ("worse", "better") if higher_is_better else ("better", "worse")
    name = f'<text x="{middle:.1f}" y="16" text-anchor="middle">{escape(zero)}</text>'
    left = f'<text x="{x - 10:.1f}" y="36" text-anchor="end">← {before}</text>'
    return f'{name}<g fill="#555">{left}<text x="{x + 10:.1f}" y="36">{after} →</text></g>'


def _lines(x: float, middle: float, lines: Sequence[str], first: str = "") -> str:
    """Lines of text, centered between what is above and below."""
    top = middle - _LINE * (len(lines) - 1) / 2 + 4
    return "".join(
        f'<text x="{x:.1f}" y="{top + _LINE * number:.1f}" {"" if number else first}>{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def _marks(row: ForestRow, along: AxisScale, middle: float, color: str) -> Iterable[str]:
    """The interval and the mean, and the dots below them."""
    y = middle - 7
    if row.low is not None and row.high is not None:
        yield _interval(row.low, row.high, along, y, color)
    if math.isfinite(row.mean):
        x = along(row.mean)
        yield f'<path d="M{x} {y - 6}l6 6l-6 6l-6 -6z" fill="{color}"><title>{row.mean:+.4g}</title></path>'
    for name, dot in row.dots.items():
        if math.isfinite(dot):
            words = f"<title>{escape(name)}: {dot:+.4g}</title>"
            place = f'cx="{along(dot)}" cy="{middle + 9}" r="4"'
            yield f'<circle {place} fill="{color}" fill-opacity="0.55">{words}</circle>'


def _interval(low: float, high: float, along: AxisScale, y: float, color: str) -> str:
    """A line with a bar at each end, or an arrow where it is cut off."""
    begin, end = along(max(low, along.first)), along(min(high, along.last))
    left = f"M{begin} {y - 5}v10" if low >= along.first else f"M{begin + 7} {y - 5}l-7 5l7 5"
    right = f"M{end} {y - 5}v10" if high <= along.last else f"M{end - 7} {y - 5}l7 5l-7 5"
    return f'<path d="M{begin} {y}H{end}{left}{right}" fill="none" stroke="{color}" stroke-width="2"/>'
