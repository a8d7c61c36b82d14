"""Line charts with error bands, as SVG. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape

from genlab.drawing.svg import FONT, AxisScale, color_of, dash_of, separated, shortened, svg, text_width
from genlab.interfaces.listener import Interval

_WIDTH, _LEAST_HEIGHT, _LEFT, _TOP, _BOTTOM = 860, 300, 72, 12, 36
_SIZE, _LINE, _GAP, _MOST_NAME = 12, 14, 26, 240
_MOST_TICKS = 16

Band = Mapping[int, Interval] | Mapping[float, Interval]


def draw_curves(bands: Mapping[str, Band], label: str, across: str = "step") -> str:
    """Draw one line with an error band per name, and the name at its end.

    Args:
        bands: by name, such as an arm's: an interval by place, such as a step. If all have the same few places, the
            horizontal axis has a tick at each.
        label: label of the vertical axis.
        across: label of the horizontal axis.

    Returns:
        An `<svg>` element without non-finite values; empty if none are finite.
    """
    bands = {name: _finite(band) for name, band in bands.items()}
    intervals = [interval for band in bands.values() for interval in band.values()]
    places = sorted({place for band in bands.values() for place in band})
    if not places:
        return ""
    low, high = min(interval.low for interval in intervals), max(interval.high for interval in intervals)
    margin = 0.05 * (high - low) or 0.5
    height = _height(bands)
    widest = min(_MOST_NAME, max(text_width(name, _SIZE) for name in bands))
    right = AxisScale(places[0], places[-1], _LEFT, _WIDTH - _GAP - widest)
    up = AxisScale(low - margin, high + margin, height - _BOTTOM, _TOP)
    are_common = len(places) <= _MOST_TICKS and all(len(band) == len(places) for band in bands.values() if band)
    parts = [_axes(right, up, places if are_common else right.ticks(), label, across)]
    for index, band in enumerate(bands.values()):
        parts += [_band(band, right, up, index), _line(band, right, up, index)]
    return svg(_WIDTH, height, f"{label} by {across}", [*parts, _names(bands, right, up)])


def _finite(band: Band) -> Band:
    return {place: interval for place, interval in band.items() if all(map(math.isfinite, interval))}


def _height(names: Collection[str]) -> float:
    return max(_LEAST_HEIGHT, _TOP + _BOTTOM + _LINE * len(names))


def stack(drawings: Sequence[str], names: Collection[str]) -> str:
    """Stack drawings of the same curves, as an SVG file.

    Args:
        drawings: of `draw_curves`.
        names: names of the curves.
    """
    height = _height(names)
    placed = [
        drawing.replace("<svg ", f'<svg y="{height * index:g}" height="{height:g}" ', 1)
        for index, drawing in enumerate(drawings)
    ]
    white = '<rect width="100%" height="100%" fill="white"/>'
    return svg(_WIDTH, height * len(drawings), "", [white, *placed])


def _axes(right: AxisScale, up: AxisScale, ticks: Sequence[float], label: str, across: str) -> str:
    parts: list[str] = []
    for value in up.ticks():
        y = up(value)
        parts.append(f'<path d="M{_LEFT} {y}H{right.end}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.6g}</text>')
    bottom = up.begin
    parts += [f'<text x="{right(value)}" y="{bottom + 16}" text-anchor="middle">{value:.10g}</text>' for value in ticks]
    middle = (_LEFT + right.end) / 2, (_TOP + bottom) / 2
    parts.append(f'<text x="{middle[0]}" y="{bottom + 32}" text-anchor="middle">{escape(across)}</text>')
    turned = f'transform="rotate(-90 12 {middle[1]})"'
    parts.append(f'<text x="12" y="{middle[1]}" text-anchor="middle" {turned}>{escape(label)}</text>')
    return f'<g font-size="11" {FONT} fill="#555">{"".join(parts)}</g>'


def _line(band: Band, right: AxisScale, up: AxisScale, index: int) -> str:
    color = color_of(index)
    points = [(right(place), up(interval.mean)) for place, interval in band.items()]
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{color}"/>' for x, y in points)
    drawn = f'fill="none" stroke="{color}" stroke-width="2"{dash_of(index)}'
    return f'<polyline points="{_joined(points)}" {drawn}/>{dots}'


def _band(band: Band, right: AxisScale, up: AxisScale, index: int) -> str:
    upper = [(right(place), up(interval.high)) for place, interval in band.items()]
    lower = [(right(place), up(interval.low)) for place, interval in band.items()]
    return f'<polygon points="{_joined([*upper, *reversed(lower)])}" fill="{color_of(index)}" fill-opacity="0.18"/>'


def _names(bands: Mapping[str, Band], right: AxisScale, up: AxisScale) -> str:
    """The names of the curves, each joined to the end of its curve."""
    ends = [(index, name, *_end(band, right, up)) for index, (name, band) in enumerate(bands.items()) if band]
    heights = separated([y for *_, y in ends], _LINE, _TOP + _LINE / 2, up.begin)
    parts: list[str] = []
    for (index, name, x, y), height in zip(ends, heights, strict=True):
        joint = f'd="M{x} {y}H{right.end + 6}L{right.end + _GAP - 8} {height:.1f}h4" fill="none" stroke-opacity="0.6"'
        parts.append(f'<path {joint} stroke="{color_of(index)}"{dash_of(index)}/>')
        words = shortened(name, _MOST_NAME, _SIZE)
        parts.append(f'<text x="{right.end + _GAP}" y="{height + 4:.1f}">{escape(words)}{_tip(name, words)}</text>')
    return f'<g font-size="{_SIZE}" {FONT} fill="#222">{"".join(parts)}</g>'


def _end(band: Band, right: AxisScale, up: AxisScale) -> tuple[float, float]:
    place, interval = max(band.items())
    return right(place), up(interval.mean)


def _tip(name: str, shown: str) -> str:
    return "" if name == shown else f"<title>{escape(name)}</title>"


def _joined(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
