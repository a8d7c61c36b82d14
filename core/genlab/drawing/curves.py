"""Line charts with error bands, as SVG. Importing this imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from genlab.interfaces.listener import Interval

# Colors that people with any color vision can tell apart (Okabe and Ito 2008).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 36
_MOST_TICKS = 16
_KEY_WIDTH, _KEYS_HEIGHT = 120, 24

Band = Mapping[int, Interval]


def draw_curves(bands: Mapping[str, Band], label: str, across: str = "step") -> str:
    """Draw one line with an error band per name.

    Args:
        bands: by name, such as an arm's: an interval by place, such as a step.
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
    right = _Scale(places[0], places[-1], _LEFT, _WIDTH - _RIGHT)
    up = _Scale(low - margin, high + margin, _HEIGHT - _BOTTOM, _TOP)
    parts = [_axes(right, up, places, label, across)]
    for index, band in enumerate(bands.values()):
        parts += [_band(band, right, up, color_of(index)), _line(band, right, up, color_of(index))]
    return _svg(_WIDTH, _HEIGHT, f"{label} by {across}", parts)


def _finite(band: Band) -> Band:
    return {place: interval for place, interval in band.items() if all(map(math.isfinite, interval))}


def stack(drawings: Sequence[str], names: Iterable[str]) -> str:
    """Stack drawings of the same curves under a legend, as an SVG file.

    Args:
        drawings: of `draw_curves`.
        names: names of the curves, in order.
    """
    keys = [
        f'<rect x="{_LEFT + index * _KEY_WIDTH}" y="8" width="12" height="12" fill="{color_of(index)}"/>'
        f'<text x="{_LEFT + index * _KEY_WIDTH + 18}" y="18">{escape(name)}</text>'
        for index, name in enumerate(names)
    ]
    height = _KEYS_HEIGHT + _HEIGHT * len(drawings)
    placed = [
        drawing.replace("<svg ", f'<svg y="{_KEYS_HEIGHT + _HEIGHT * index}" height="{_HEIGHT}" ', 1)
        for index, drawing in enumerate(drawings)
    ]
    white = '<rect width="100%" height="100%" fill="white"/>'
    return _svg(_WIDTH, height, "", [white, f'<g font-size="13" font-family="sans-serif">{"".join(keys)}</g>', *placed])


def color_of(index: int) -> str:
    """Color of a curve by its index."""
    return COLORS[index % len(COLORS)]


class _Scale:
    """Scale from values to positions in the drawing."""

    def __init__(self, first: float, last: float, begin: float, end: float) -> None:
        self.first, self.last, self.begin, self.end = first, last, begin, end

    def __call__(self, value: float) -> float:
        share = (value - self.first) / ((self.last - self.first) or 1)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Axis ticks: multiples of 1, 2, 2.5 or 5 times a power of ten."""
        least = (self.last - self.first) / most or 1
        power = 10 ** math.floor(math.log10(least))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least)
        return [step * number for number in range(math.ceil(self.first / step), math.floor(self.last / step) + 1)]


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def _axes(right: _Scale, up: _Scale, places: Sequence[int], label: str, across: str) -> str:
    parts: list[str] = []
    for value in up.ticks():
        y = up(value)
        parts.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.6g}</text>')
    under = f'y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle"'
    ticks = places if len(places) <= _MOST_TICKS else right.ticks()
    parts += [f'<text x="{right(value)}" {under}>{value:.0f}</text>' for value in ticks]
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(across)}</text>')
    middle = (_HEIGHT - _BOTTOM) / 2
    turned = f'transform="rotate(-90 12 {middle})"'
    parts.append(f'<text x="12" y="{middle}" text-anchor="middle" {turned}>{escape(label)}</text>')
    return f'<g font-size="11" font-family="sans-serif" fill="#555">{"".join(parts)}</g>'


def _line(band: Band, right: _Scale, up: _Scale, color: str) -> str:
    points = [(right(place), up(interval.mean)) for place, interval in band.items()]
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{color}"/>' for x, y in points)
    return f'<polyline points="{_joined(points)}" fill="none" stroke="{color}" stroke-width="2"/>{dots}'


def _band(band: Band, right: _Scale, up: _Scale, color: str) -> str:
    upper = [(right(place), up(interval.high)) for place, interval in band.items()]
    lower = [(right(place), up(interval.low)) for place, interval in band.items()]
    return f'<polygon points="{_joined([*upper, *reversed(lower)])}" fill="{color}" fill-opacity="0.18"/>'


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
