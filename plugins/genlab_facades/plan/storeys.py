"""Windows, doors and shops, with what belongs to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.plan.building import Part
from genlab_facades.plan.grid import Grid
from genlab_facades.plan.styles import Style


@dataclass(frozen=True)
class WindowRow:
    """Form of the windows of one floor; `none` is the form of what they lack.

    Args:
        width: share of the bay.
        height: share of the storey.
        top: the outline.
        header: what is above.
        sill: whether there is one.
        blind: the form of blinds.
        balcony: the form of balconies.
        balconies: bays that have one.
        twins: bays with two windows.
        panel: whether there is an ornament under the sill.
    """

    width: float
    height: float
    top: str
    header: str
    sill: bool
    blind: str
    balcony: str
    balconies: frozenset[int]
    twins: frozenset[int]
    panel: bool


def upper_floors(dice: Dice, style: Style, grid: Grid) -> Iterator[Part]:
    """Everything above the ground floor."""
    usual = _row(dice, style, grid)
    stairs = dice.count(0, grid.bays - 1) if dice.hits(0.16) and grid.floors > 2 else None
    for floor in range(1, grid.floors):
        row = _varied(dice, style, grid, usual, floor)
        for bay in range(grid.bays):
            cell = grid.cell(floor, bay)
            if bay == stairs:
                yield from _staircase(cell, row, last=floor == grid.floors - 1)
            else:
                yield from _window(dice, cell, row, bay)


def _row(dice: Dice, style: Style, grid: Grid) -> WindowRow:
    """The windows that most floors have."""
    return WindowRow(
        width=dice.between(*style.window_width),
        height=dice.between(*style.window_height),
        top=dice.pick(style.tops),
        header=dice.pick(style.headers),
        sill=dice.hits(style.sills),
        blind=dice.pick(style.blind) if dice.hits(style.blinds) else "none",
        balcony=dice.pick(style.balcony),
        balconies=_balconies(dice, style, grid),
        twins=grid.choose(dice, "center", "edges", "all", "one") if dice.hits(0.22) else frozenset(),
        panel=dice.hits(0.5 * style.decos),
    )


def _balconies(dice: Dice, style: Style, grid: Grid) -> frozenset[int]:
    if not dice.hits(style.balconies):
        return frozenset()
    return grid.choose(dice, "center", "center", "edges", "odd", "one", "inner", "even")


def _varied(dice: Dice, style: Style, grid: Grid, usual: WindowRow, floor: int) -> WindowRow:
    """The windows of one floor: the first upper floor is the grandest, the last one the plainest."""
    row = usual
    if floor == 1 and dice.hits(0.4):
        row = replace(row, top=dice.pick(style.tops), header=dice.pick(style.headers))
    if floor == grid.floors - 1 and grid.floors > 2 and dice.hits(0.5):
        row = replace(row, header="none", height=0.86 * row.height, balconies=frozenset())
    if dice.hits(0.3):
        row = replace(row, balconies=frozenset())
    return row


def _window(dice: Dice, cell: Box, row: WindowRow, bay: int) -> Iterator[Part]:
    opening = _opening(cell, row)
    balcony = bay in row.balconies
    if balcony:
        opening = opening._replace(bottom=cell.bottom - 0.05 * cell.height)
    panes = _twins(opening, cell) if bay in row.twins else (opening,)
    for pane in panes:
        yield Part(PartClass.WINDOW, pane, _top(row.top, pane))
    whole = Box(panes[0].left, opening.top, panes[-1].right, opening.bottom)
    yield from _header(cell, whole, row, bay)
    yield from _blinds(dice, whole, row.blind)
    if balcony:
        yield Part(PartClass.BALCONY, _balcony(cell, whole, row), row.balcony)
    elif row.sill:
        sill = whole.below(0.05 * cell.height, overhang=0.1 * whole.width)
        yield Part(PartClass.SILL, sill)
        if row.panel:
            yield Part(PartClass.DECO, Box(whole.left, sill.bottom, whole.right, cell.bottom), "panel")


def _opening(cell: Box, row: WindowRow) -> Box:
    bottom = cell.bottom - (0.2 if row.height < 0.62 else 0.15) * cell.height
    half = 0.5 * row.width * cell.width
    return Box(cell.middle - half, bottom - row.height * cell.height, cell.middle + half, bottom)


def _twins(opening: Box, cell: Box) -> tuple[Box, Box]:
    """Two narrow windows instead of a wide one, as far apart as the bay allows."""
    grown = min(0.16, 0.5 * (0.96 * cell.width / opening.width - 1.0))
    return opening.part(-grown, 0.0, 0.44, 1.0), opening.part(0.56, 0.0, 1.0 + grown, 1.0)


def _top(form: str, opening: Box) -> str:
    """The outline for an opening: a wide one has no round arch."""
    return "segment" if form == "arch" and opening.width > 0.75 * opening.height else form


def _header(cell: Box, window: Box, row: WindowRow, bay: int) -> Iterator[Part]:
    if row.header == "none":
        return
    form = ("pediment", "bow")[bay % 2] if row.header == "alternating" else row.header
    height = {"ledge": 0.075, "lintel": 0.085}.get(form, 0.135) * cell.height
    gap = 0.0 if form == "lintel" else 0.02 * cell.height
    raised = window._replace(top=max(window.top - gap, cell.top + height))
    yield Part(PartClass.CORNICE, raised.above(height, overhang=0.14 * window.width), form)


def _blinds(dice: Dice, window: Box, form: str) -> Iterator[Part]:
    if form == "shutters":
        yield Part(PartClass.BLIND, window.part(-0.46, 0.0, 0.0, 1.0), form)
        yield Part(PartClass.BLIND, window.part(1.0, 0.0, 1.46, 1.0), form)
    elif form == "roller" and dice.hits(0.4):
        yield Part(PartClass.BLIND, window.part(0.0, 0.0, 1.0, dice.pick((0.25, 0.4, 0.55, 0.8))), form)


def _balcony(cell: Box, window: Box, row: WindowRow) -> Box:
    reach = 0.5 * min(1.5 * window.width, 0.96 * cell.width)
    height = (0.44 if row.balcony == "solid" else 0.38) * cell.height
    return Box(window.middle - reach, cell.bottom - height, window.middle + reach, cell.bottom + 0.035 * cell.height)


def _staircase(cell: Box, row: WindowRow, last: bool) -> Iterator[Part]:
    """Windows of a staircase lie between the floors."""
    shift = -0.08 if last else -0.38
    opening = _opening(cell.part(0.0, shift, 1.0, 1.0 + shift), row).part(0.1, 0.1, 0.9, 1.0)
    yield Part(PartClass.WINDOW, opening, _top(row.top, opening))
    if row.sill:
        yield Part(PartClass.SILL, opening.below(0.045 * cell.height, overhang=0.08 * opening.width))


def ground_floor(dice: Dice, style: Style, grid: Grid) -> Iterator[Part]:
    """One or two doors, and windows, arches or shops between them."""
    kind = dice.pick(style.grounds)
    doors = grid.choose(dice, "center", "center", "edges", "one", "one")
    doors = doors if dice.hits(0.4) else frozenset({min(doors)})
    top = "arch" if kind == "arcade" or dice.hits(0.25) else dice.pick(style.tops)
    row = replace(
        _row(dice, style, grid), top=top, header="none", panel=False, balconies=frozenset(), twins=frozenset()
    )
    bay = 0
    while bay < grid.bays:
        cell = grid.cell(0, bay)
        if bay in doors:
            yield from _door(dice, style, cell, top)
        elif kind == "windows":
            yield from _window(dice, cell.part(0.0, -0.02, 1.0, 0.98), row, bay)
        elif kind == "arcade":
            yield Part(PartClass.SHOP, cell.part(0.12, 0.2, 0.88, 1.0), "arch")
        else:
            pair = bay + 1 < grid.bays and bay + 1 not in doors and cell.width < 1.1 * cell.height
            front = grid.cell(0, bay, bay + pair).inset(0.05 * cell.width, 0.0)
            yield Part(PartClass.SHOP, front._replace(top=cell.top + 0.16 * cell.height), "shop")
            bay += pair
        bay += 1


def _door(dice: Dice, style: Style, cell: Box, top: str) -> Iterator[Part]:
    width = min(0.6 * cell.width, 0.42 * cell.height)
    door = Box(cell.middle - width / 2.0, cell.top + 0.24 * cell.height, cell.middle + width / 2.0, cell.bottom)
    yield Part(PartClass.DOOR, door, top)
    if dice.hits(0.6):
        form = dice.pick(("pediment", "ledge")) if style.surround > 0.3 else "canopy"
        height = (0.12 if form == "pediment" else 0.06) * cell.height
        yield Part(PartClass.CORNICE, door.above(height, overhang=0.16 * width), form)
    elif dice.hits(style.decos):
        yield Part(PartClass.DECO, door.above(0.14 * cell.height, overhang=-0.1 * width), "crest")
