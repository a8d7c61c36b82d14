"""The whole of a building: its frame, and what fills it."""

from __future__ import annotations

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.plan.building import LAYERS, Building, Part
from genlab_facades.plan.grid import Grid
from genlab_facades.plan.ornament import ornament
from genlab_facades.plan.roof import roof_parts
from genlab_facades.plan.storeys import ground_floor, upper_floors
from genlab_facades.plan.styles import STYLES, Style

_ROOF_HEIGHTS = {
    "flat": (0.0, 0.012),
    "hip": (0.05, 0.1),
    "mansard": (0.09, 0.13),
    "triangle": (0.1, 0.17),
    "steps": (0.12, 0.18),
    "curve": (0.1, 0.17),
}
"""Least and greatest height by outline."""
_LOW = 3
"""Houses of up to so many floors stand alone, with more sky above them."""


def lay_out(dice: Dice) -> Building:
    """Draw up a building: everything about it but its colors."""
    style = dice.pick(STYLES)
    floors = dice.count(*style.floors)
    roof = "cropped" if dice.hits(0.2) else dice.pick(style.silhouettes)
    wall, ridge = _frame(dice, roof, floors)
    grid = _grid(dice, style, wall, floors)
    storeys = [*upper_floors(dice, style, grid), *ground_floor(dice, style, grid)]
    parts = [
        Part(PartClass.FACADE, wall),
        *storeys,
        *ornament(dice, style, grid, storeys),
        *roof_parts(dice, style, grid, roof, ridge),
    ]
    return Building(
        style=style,
        wall=wall,
        base=Box(wall.left, grid.cell(0, 0).top, wall.right, wall.bottom),
        floors=floors,
        crowded=floors > _LOW,
        roof=roof,
        ridge=ridge,
        parts=tuple(sorted(parts, key=lambda part: LAYERS.index(part.kind))),
    )


def _frame(dice: Dice, roof: str, floors: int) -> tuple[Box, float]:
    """The wall from the eaves to the ground, and the height of the roof's ridge."""
    left, right = _margins(dice, crowded=floors > _LOW)
    ground = dice.between(0.925, 0.965)
    sky = dice.between(0.035, 0.13) + max(0, _LOW + 1 - floors) * dice.between(0.03, 0.11)
    height = dice.between(*_ROOF_HEIGHTS.get(roof, (0.0, 0.0)))
    if roof == "cropped":
        return Box(left, 0.0, right, ground), 0.0
    return Box(left, sky + height, right, ground), sky


def _margins(dice: Dice, crowded: bool) -> tuple[float, float]:
    """The x of the wall's left and right side."""
    sides = dice.pick(("none", "both", "both", "left", "right", "none" if crowded else "both"))
    widest = 0.15 if sides == "both" else 0.22
    left, right = dice.between(0.04, widest), dice.between(0.04, widest)
    return (left if sides in ("left", "both") else 0.0), (1.0 - right if sides in ("right", "both") else 1.0)


def _grid(dice: Dice, style: Style, wall: Box, floors: int) -> Grid:
    """Divide the wall under its crown into storeys and bays."""
    crown = dice.between(*style.crown)
    heights = [1.0] * floors
    heights[0] = dice.between(1.05, 1.35)
    if floors > 2:
        heights[1] *= dice.between(1.0, 1.15)
        heights[-1] *= dice.between(0.84, 1.0)
    storey = (wall.height - crown) / sum(heights)
    edge = dice.between(0.0, 0.05) * wall.width
    bays = round((wall.width - 2 * edge) / (storey * dice.between(*style.bay)))
    widths = [1.0] * min(max(bays, 2), 9)
    if len(widths) % 2 and dice.hits(0.4):
        widths[len(widths) // 2] = dice.between(1.1, 1.5)
    return Grid(wall, crown, edge, heights, widths)
