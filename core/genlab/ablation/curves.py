"""The course of a metric in every arm, with the band that its seeds span, as an SVG drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from genlab.ablation.statistics import Spread

# Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 36

Band = Mapping[int, Spread]


def draw_curves(bands: Mapping[str, Band], label: str) -> str:
    """One line an arm, its mean over the seeds, in a band of one standard deviation to each side.

    Args:
        bands: by arm: the spread over the seeds, by step.
        label: what the vertical axis is.
    """
    spans = [(spread.mean - (spread.deviation or 0), spread.mean + (spread.deviation or 0)) for spread in _all(bands)]
    steps = [step for band in bands.values() for step in band]
    if not steps:
        return ""
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    margin = 0.05 * (high - low) or 0.5
    across = _Scale(min(0, *steps), max(steps), _LEFT, _WIDTH - _RIGHT)
    down = _Scale(low - margin, high + margin, _HEIGHT - _BOTTOM, _TOP)
    parts = [_axes(across, down, label)]
    for (_, band), colour in zip(bands.items(), _colours(len(bands)), strict=True):
        parts += [_band(band, across, down, colour), _line(band, across, down, colour)]
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)} over the steps"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def colour_of(index: int) -> str:
    """The colour of an arm, by its place."""
    return COLOURS[index % len(COLOURS)]


class _Scale:
    """From values to places in the drawing."""

    def __init__(self, first: float, last: float, begin: float, end: float) -> None:
        self.first, self.last, self.begin, self.end = first, last, begin, end

    def __call__(self, value: float) -> float:
        share = (value - self.first) / ((self.last - self.first) or 1)
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self, count: int = 5) -> list[float]:
        return [self.first + (self.last - self.first) * place / (count - 1) for place in range(count)]


def _all(bands: Mapping[str, Band]) -> list[Spread]:
    return [spread for band in bands.values() for spread in band.values()]


def _colours(count: int) -> list[str]:
    return [colour_of(index) for index in range(count)]


def _axes(across: _Scale, down: _Scale, label: str) -> str:
    parts: list[str] = []
    for value in down.ticks():
        y = down(value)
        parts.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.3g}</text>')
    under = f'y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle"'
    parts += [f'<text x="{across(value)}" {under}>{value:.0f}</text>' for value in across.ticks()]
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 4}" text-anchor="middle">step</text>')
    middle = (_HEIGHT - _BOTTOM) / 2
    turned = f'transform="rotate(-90 12 {middle})"'
    parts.append(f'<text x="12" y="{middle}" text-anchor="middle" {turned}>{escape(label)}</text>')
    return f'<g font-size="11" font-family="sans-serif" fill="#555">{"".join(parts)}</g>'


def _line(band: Band, across: _Scale, down: _Scale, colour: str) -> str:
    points = [(across(step), down(spread.mean)) for step, spread in band.items()]
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in points)
    return f'<polyline points="{_joined(points)}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _band(band: Band, across: _Scale, down: _Scale, colour: str) -> str:
    upper = [(across(step), down(spread.mean + (spread.deviation or 0))) for step, spread in band.items()]
    lower = [(across(step), down(spread.mean - (spread.deviation or 0))) for step, spread in band.items()]
    return f'<polygon points="{_joined([*upper, *reversed(lower)])}" fill="{colour}" fill-opacity="0.18"/>'


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
