"""Boxes and outlines in a picture whose sides are 1 long; y points down."""

from __future__ import annotations

from math import cos, pi, sin
from typing import NamedTuple

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle with upright sides."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in units of the picture's side."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in units of the picture's side."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The x of the vertical axis."""
        return (self.left + self.right) / 2

    def part(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The box whose sides are given in fractions of this one, which they may exceed."""
        return Box(
            self.left + left * self.width,
            self.top + top * self.height,
            self.left + right * self.width,
            self.top + bottom * self.height,
        )

    def inset(self, dx: float, dy: float | None = None) -> Box:
        """This box, smaller by `dx` at the left and right and by `dy` (or `dx`) at the top and bottom."""
        dy = dx if dy is None else dy
        return Box(self.left + dx, self.top + dy, self.right - dx, self.bottom - dy)

    def framed(self, rim: float) -> Box:
        """This box with a rim around it, but for its bottom side."""
        return Box(self.left - rim, self.top - rim, self.right + rim, self.bottom)

    def above(self, height: float, overhang: float = 0.0) -> Box:
        """The box that stands on this one's top side."""
        return Box(self.left - overhang, self.top - height, self.right + overhang, self.top)

    def below(self, height: float, overhang: float = 0.0) -> Box:
        """The box that hangs from this one's bottom side."""
        return Box(self.left - overhang, self.bottom, self.right + overhang, self.bottom + height)


def polygon(form: str, box: Box) -> list[Point]:
    """The corners of a form that fills a box.

    Args:
        form: `arch`, `segment`, `round`, `triangle`, `steps`, `curve`, `mansard` or `hip`; any other is a rectangle.
        box: what it fills.
    """
    if form in _PROFILES:
        return [(box.left + x * box.width, box.bottom - y * box.height) for x, y in _PROFILES[form]]
    if form in ("arch", "segment"):
        rise = min(box.height, box.width * (0.5 if form == "arch" else 0.16))
        bow = [(box.left + x * box.width, box.top + y * rise) for x, y in _BOW]
        return [(box.left, box.bottom), *bow, (box.right, box.bottom)]
    return [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]


def _mirrored(*half: Point) -> tuple[Point, ...]:
    """A symmetrical profile from its left half, given from the bottom up."""
    return (*half, *((1 - x, y) for x, y in reversed(half)))


_BOW = tuple((0.5 - 0.5 * cos(pi * k / 12), 1 - sin(pi * k / 12)) for k in range(13))
_STEPS = (0.1, 0.2, 0.3, 0.4)
_PROFILES = {
    "round": tuple((0.5 + 0.5 * cos(pi * k / 8), 0.5 + 0.5 * sin(pi * k / 8)) for k in range(16)),
    "triangle": _mirrored((0.0, 0.0), (0.5, 1.0)),
    "steps": _mirrored((0.0, 0.0), (0.0, 0.2), *((x, y) for x in _STEPS for y in (2 * x, 2 * x + 0.2))),
    "curve": _mirrored(
        *((0.0, 0.0), (0.02, 0.2), (0.08, 0.34), (0.17, 0.4), (0.2, 0.46)),
        *((0.21, 0.6), (0.25, 0.74), (0.32, 0.85), (0.41, 0.95), (0.5, 1.0)),
    ),
    "mansard": _mirrored((0.0, 0.0), (0.035, 1.0)),
    "hip": _mirrored((0.0, 0.0), (0.16, 1.0)),
}
"""Outlines as (x, height) in fractions of their box."""
