"""Parts above the eaves that belong to the facade."""

from __future__ import annotations

from collections.abc import Iterator

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.plan.building import Part
from genlab_facades.plan.grid import Grid
from genlab_facades.plan.styles import Style


def roof_parts(dice: Dice, style: Style, grid: Grid, form: str, ridge: float) -> Iterator[Part]:
    """A roof with dormers, a plain one, or one behind a gable; nothing over flat roofs."""
    wall = grid.wall
    if form in ("mansard", "hip"):
        roof = Box(wall.left, ridge, wall.right, wall.top)
        yield Part(PartClass.FACADE, roof, form)
        if form == "mansard":
            yield from _dormers(dice, grid, roof)
    elif form in ("triangle", "steps", "curve"):
        behind = ridge + 0.45 * (wall.top - ridge)
        yield Part(PartClass.FACADE, Box(wall.left, behind, wall.right, wall.top), "hip")
        yield from _gable(dice, style, grid, form, ridge)


def _dormers(dice: Dice, grid: Grid, roof: Box) -> Iterator[Part]:
    form = dice.pick(("pediment", "bow", "ledge"))
    for bay in sorted(grid.choose(dice, "all", "odd", "even", "inner")):
        cell = grid.cell(grid.floors - 1, bay)
        half = min(0.24 * cell.width, 0.36 * roof.height)
        window = Box(cell.middle - half, roof.top, cell.middle + half, roof.bottom).part(0.0, 0.34, 1.0, 0.88)
        yield Part(PartClass.WINDOW, window, "dormer")
        yield Part(PartClass.CORNICE, window.above(0.2 * roof.height, overhang=0.3 * half), form)


def _gable(dice: Dice, style: Style, grid: Grid, form: str, ridge: float) -> Iterator[Part]:
    wall = grid.wall
    width = wall.width if grid.bays < 5 and form != "curve" else dice.between(0.36, 0.56) * wall.width
    gable = Box(wall.middle - width / 2.0, ridge, wall.middle + width / 2.0, wall.top)
    yield Part(PartClass.FACADE, gable, form)
    half = min(0.2 * gable.height, 0.12 * gable.width)
    y = gable.top + (0.6 if form != "triangle" else 0.66) * gable.height
    spot = Box(gable.middle - half, y - half, gable.middle + half, y + half)
    if dice.hits(style.decos):
        yield Part(PartClass.DECO, spot, "rosette")
    else:
        yield Part(PartClass.WINDOW, spot, "round" if form != "steps" else "arch")
