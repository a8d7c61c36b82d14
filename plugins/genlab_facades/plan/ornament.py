"""Parts that run across or up the wall, and ornaments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.plan.building import Part
from genlab_facades.plan.grid import Grid
from genlab_facades.plan.styles import Style


def ornament(dice: Dice, style: Style, grid: Grid, storeys: Sequence[Part]) -> Iterator[Part]:
    """Moldings, pillars and ornaments of a wall whose openings are known."""
    yield from _moldings(dice, style, grid)
    yield from _pillars(dice, style, grid)
    yield from _rosettes(dice, style, grid, storeys)


def _moldings(dice: Dice, style: Style, grid: Grid) -> Iterator[Part]:
    crown = "dentils" if style.surround > 0.7 and dice.hits(0.7) else "crown"
    yield Part(PartClass.MOLDING, grid.crown, crown)
    floors = [1] if dice.hits(max(style.moldings, 0.7)) else []
    if dice.hits(style.moldings):
        floors = dice.pick((range(1, grid.floors), [1, grid.floors - 1], [1, 2]))
    height = dice.between(0.011, 0.022)
    for floor in sorted(set(floors) & set(range(1, grid.floors))):
        slab = grid.cell(floor, 0).bottom
        yield Part(
            PartClass.MOLDING, Box(grid.wall.left, slab - height / 2.0, grid.wall.right, slab + height / 2.0), "band"
        )


def _pillars(dice: Dice, style: Style, grid: Grid) -> Iterator[Part]:
    if not dice.hits(style.pillars):
        return
    width = dice.between(0.12, 0.18) * grid.cell(0, 0).width
    lowest = 0 if dice.hits(0.2) else 1
    top, bottom = grid.crown.bottom, grid.cell(lowest, 0).bottom
    edges = [grid.cell(1, bay).left for bay in range(grid.bays)] + [grid.cell(1, grid.bays - 1).right]
    left_of_middle = len(edges) // 2 - 1
    beside_middle = [edges[left_of_middle], edges[-1 - left_of_middle]]
    chosen = dice.pick((edges, edges, [edges[0], edges[-1]], beside_middle))
    form = "pilaster" if style.surround > 0.3 else "strip"
    for x in chosen:
        left = min(max(x - width / 2, grid.wall.left), grid.wall.right - width)
        yield Part(PartClass.PILLAR, Box(left, top, left + width, bottom), form)


def _rosettes(dice: Dice, style: Style, grid: Grid, storeys: Sequence[Part]) -> Iterator[Part]:
    """Ornaments on the piers between windows, where there is room."""
    if not dice.hits(style.decos):
        return
    form = dice.pick(("rosette", "panel", "garland"))
    floors = dice.pick(([1], [grid.floors - 1], range(1, grid.floors)))
    windows = [part.box for part in storeys if part.kind in (PartClass.WINDOW, PartClass.BLIND)]
    for floor in floors:
        for bay in range(grid.bays - 1):
            cell = grid.cell(floor, bay)
            half = min(0.11 * cell.width, 0.13 * cell.height)
            y = cell.top + 0.5 * cell.height
            spot = Box(cell.right - half, y - 1.3 * half, cell.right + half, y + 1.3 * half)
            if not any(_overlap(spot, window) for window in windows):
                yield Part(PartClass.DECO, spot, form)


def _overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
