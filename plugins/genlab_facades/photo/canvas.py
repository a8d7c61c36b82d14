"""The drawing board: what color is seen in each place, how far it stands out, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from genlab_facades.geometry import Box, Point, polygon
from genlab_facades.plan.styles import Color

FINENESS = 2
"""Steps per pixel in each direction; the mean over them smooths the edges."""
_RAMP = Image.linear_gradient("L")


class Material(IntEnum):
    """Material of a place, which decides its texture."""

    SMOOTH = 0
    SKY = 1
    WALL = 2
    BASE = 3
    TRIM = 4
    ROOF = 5
    GLASS = 6
    STREET = 7
    FAR = 8
    """What stands behind or beside the house, and takes no shadow from it."""
    LEAVES = 9


class Surface(NamedTuple):
    """Drawn surface: color (3, height, width) from 0 to 255, depth and material (height, width)."""

    color: NDArray[np.float32]
    depth: NDArray[np.float32]
    material: NDArray[np.uint8]


class Canvas:
    """Takes shapes in units of the picture's side, later ones over earlier ones.

    Depth is how far something stands out of the wall, in the same unit; it is negative behind the wall.

    Args:
        size: side of the picture in pixels.
    """

    def __init__(self, size: int) -> None:
        self._scale = size * FINENESS
        square = (self._scale, self._scale)
        self._color = Image.new("RGB", square)
        self._depth = Image.new("F", square)
        self._material = Image.new("L", square)
        self._color_pen = ImageDraw.Draw(self._color)
        self._depth_pen = ImageDraw.Draw(self._depth)
        self._material_pen = ImageDraw.Draw(self._material)

    def box(self, box: Box, color: Color, depth: float, material: Material = Material.SMOOTH) -> None:
        """Fill a box; one that is too narrow to be seen is drawn a step wide."""
        corners = self._corners(box)
        self._color_pen.rectangle(corners, fill=color)
        self._depth_pen.rectangle(corners, fill=depth)
        self._material_pen.rectangle(corners, fill=int(material))

    def polygon(
        self, points: Sequence[Point], color: Color, depth: float, material: Material = Material.SMOOTH
    ) -> None:
        """Fill a polygon."""
        corners = [(x * self._scale - 0.5, y * self._scale - 0.5) for x, y in points]
        self._color_pen.polygon(corners, fill=color)
        self._depth_pen.polygon(corners, fill=depth)
        self._material_pen.polygon(corners, fill=int(material))

    def form(self, form: str, box: Box, color: Color, depth: float, material: Material = Material.SMOOTH) -> None:
        """Fill an outline that has a name."""
        if form == "flat":
            self.box(box, color, depth, material)
        else:
            self.polygon(polygon(form, box), color, depth, material)

    def fade(self, form: str, box: Box, color: Color) -> None:
        """Blend a color into an outline, more and more towards the bottom; depth and material stay."""
        left, top, right, bottom = self._corners(box)
        mask = _RAMP.resize((right - left + 1, bottom - top + 1), Image.Resampling.NEAREST)
        if form != "flat":
            shape = Image.new("L", mask.size)
            points = [(x * self._scale - 0.5 - left, y * self._scale - 0.5 - top) for x, y in polygon(form, box)]
            ImageDraw.Draw(shape).polygon(points, fill=255)
            mask = ImageChops.multiply(mask, shape)
        self._color.paste(color, (left, top), mask)

    def surface(self) -> Surface:
        """The surface drawn so far, at the size of the picture."""
        half = FINENESS // 2
        color = np.asarray(self._color.reduce(FINENESS)).transpose(2, 0, 1)
        return Surface(
            np.ascontiguousarray(color, dtype=np.float32),
            np.asarray(self._depth.reduce(FINENESS), dtype=np.float32),
            np.asarray(self._material)[half::FINENESS, half::FINENESS],
        )

    def _corners(self, box: Box) -> tuple[int, int, int, int]:
        left, top, right, bottom = (round(edge * self._scale) for edge in box)
        return left, top, max(right - 1, left), max(bottom - 1, top)
