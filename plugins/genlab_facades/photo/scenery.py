"""Surroundings of a house: sky, neighbors, trees and the street."""

from __future__ import annotations

from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.photo.canvas import Canvas, Material
from genlab_facades.photo.look import Look, mix, shade
from genlab_facades.plan.building import Building
from genlab_facades.plan.styles import Color

_FAR = -0.2
"""Depth of what is behind the house, so that it throws no shadow on it."""


def paint_surroundings(canvas: Canvas, building: Building, look: Look, dice: Dice) -> None:
    """Everything behind the house."""
    canvas.box(Box(0.0, 0.0, 1.0, 1.0), look.sky_low, _FAR, Material.SKY)
    wall = building.wall
    for side in (Box(-0.05, 0.0, wall.left, wall.bottom), Box(wall.right, 0.0, 1.05, wall.bottom)):
        if side.width > 0.06 and building.crowded:
            _neighbor(canvas, side, building, look, dice)
        elif side.width > 0.06:
            _trees(canvas, side, dice)
    _above(canvas, building, look, dice)


def paint_street(canvas: Canvas, building: Building) -> None:
    """Pavement, kerb and road."""
    ground = building.wall.bottom
    kerb = ground + 0.5 * (1 - ground)
    canvas.box(Box(0.0, ground, 1.0, 1.0), (158, 154, 148), 0.0, Material.STREET)
    canvas.box(Box(0.0, kerb, 1.0, kerb + 0.006), (186, 182, 174), 0.0, Material.STREET)
    canvas.box(Box(0.0, kerb + 0.006, 1.0, 1.0), (104, 104, 106), 0.0, Material.STREET)


def _neighbor(canvas: Canvas, side: Box, building: Building, look: Look, dice: Dice) -> None:
    """The next house: in the shade, with an eave and windows, as many storeys as this one has."""
    house = side._replace(top=building.wall.top + dice.between(0.01, 0.1))
    color = mix(building.style.walls[0], (150, 144, 136), 0.65)
    _far(canvas, house, shade(color, 0.86))
    _far(canvas, house.above(0.024), shade(look.roof, 0.95))
    _far(canvas, house._replace(bottom=house.top + 0.012), shade(color, 1.02))
    for k in range(building.floors):
        row = house.part(0.0, k / building.floors, 1.0, (k + 1.0) / building.floors)
        half = min(0.14 * row.height, 0.026)
        for x in (side.middle - 0.04, side.middle + 0.04):
            window = Box(x - half, row.top + 0.26 * row.height, x + half, row.bottom - 0.2 * row.height)
            _far(canvas, window.inset(-0.006), shade(color, 0.98))
            _far(canvas, window, (98, 100, 102))
            canvas.fade("flat", window, (62, 62, 62))
            _far(canvas, window.part(0.46, 0.0, 0.54, 1.0), shade(color, 0.9))


def _far(canvas: Canvas, box: Box, color: Color) -> None:
    canvas.box(box, color, _FAR, Material.FAR)


def _trees(canvas: Canvas, side: Box, dice: Dice) -> None:
    """Leaves in clumps, lighter towards their tops, over a hedge."""
    green = (98, 108, 78)
    canvas.box(side._replace(top=side.bottom - 0.1), shade(green, 0.75), _FAR, Material.LEAVES)
    crown = Box(side.left - 0.03, side.bottom - 0.36, side.right + 0.03, side.bottom)
    canvas.form("round", crown, shade(green, 0.75), _FAR, Material.LEAVES)
    for _ in range(60):
        height = dice.between(0.05, 0.4)
        x, y = dice.between(side.left - 0.02, side.right + 0.02), side.bottom - height
        half = dice.between(0.01, 0.045) * (1.3 - height)
        color = shade(green, 0.65 + 0.9 * height + dice.between(-0.15, 0.15))
        canvas.form("round", Box(x - half, y - half, x + half, y + half), color, _FAR, Material.LEAVES)


def _above(canvas: Canvas, building: Building, look: Look, dice: Dice) -> None:
    """The edge of a flat roof, or the chimneys behind a steep one."""
    wall, ridge = building.wall, building.ridge
    if building.roof == "flat":
        _far(canvas, Box(wall.left, ridge, wall.right, wall.top), shade(look.metal, 1.5))
    elif building.roof in ("hip", "mansard"):
        for _ in range(dice.count(0, 2)):
            x = wall.left + dice.between(0.2, 0.8) * wall.width
            _far(canvas, Box(x - 0.014, ridge - 0.025, x + 0.014, wall.top), (138, 102, 86))
