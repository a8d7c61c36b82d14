"""Plans of buildings: they could stand, they differ, and they keep to their style."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.plan.building import LAYERS, Building, Part
from genlab_facades.plan.grid import Grid
from genlab_facades.plan.layout import lay_out
from genlab_facades.plan.styles import COTTAGE, PANELS, STYLES


@cache
def buildings() -> tuple[Building, ...]:
    return tuple(lay_out(Dice(3, index)) for index in range(300))


def parts(building: Building, *kinds: PartClass) -> list[Part]:
    return [part for part in building.parts if part.kind in kinds]


def test_a_building_depends_on_its_dice_alone() -> None:
    assert lay_out(Dice(3, 1)) == buildings()[1]
    assert lay_out(Dice(3, 1)) != lay_out(Dice(3, 2))


def test_every_style_is_built_and_every_kind_of_roof() -> None:
    styles = Counter(building.style for building in buildings())
    assert set(styles) == set(STYLES)
    assert min(styles.values()) > 15
    roofs = Counter(building.roof for building in buildings())
    assert set(roofs) == {"cropped", "flat", "hip", "mansard", "triangle", "steps", "curve"}


def test_houses_have_as_many_storeys_as_their_style_allows() -> None:
    for building in buildings():
        least, most = building.style.floors
        assert least <= building.floors <= most


def test_every_house_has_windows_and_a_door_that_reaches_the_ground() -> None:
    for building in buildings():
        doors = parts(building, PartClass.DOOR)
        assert doors
        assert all(door.box.bottom == pytest.approx(building.wall.bottom) for door in doors)
        assert len(parts(building, PartClass.WINDOW)) >= 2


def test_openings_lie_in_the_facade_and_do_not_overlap() -> None:
    for building in buildings():
        openings = [part.box for part in parts(building, PartClass.WINDOW, PartClass.DOOR, PartClass.SHOP)]
        for index, one in enumerate(openings):
            assert building.wall.left <= one.left < one.right <= building.wall.right
            assert building.ridge <= one.top < one.bottom <= building.wall.bottom + 1e-9
            for other in openings[:index]:
                apart = one.right <= other.left or other.right <= one.left
                assert apart or one.bottom <= other.top or other.bottom <= one.top


def test_what_belongs_to_a_window_is_beside_it() -> None:
    for building in buildings():
        windows = [part.box for part in parts(building, PartClass.WINDOW)]
        for sill in parts(building, PartClass.SILL):
            assert any(abs(window.bottom - sill.box.top) < 1e-9 for window in windows)
        for blind in parts(building, PartClass.BLIND):
            assert any(abs(window.top - blind.box.top) < 1e-9 for window in windows)


def test_parts_are_in_the_order_of_their_layers() -> None:
    for building in buildings():
        order = [LAYERS.index(part.kind) for part in building.parts]
        assert order == sorted(order)


def test_no_class_is_missing_from_the_layers() -> None:
    assert {*LAYERS, PartClass.BACKGROUND} == set(PartClass)


def test_houses_are_not_all_symmetrical() -> None:
    def symmetrical(building: Building) -> bool:
        middle = building.wall.middle
        lefts = sorted(round(part.box.left - middle, 6) for part in building.parts)
        mirrored = sorted(round(middle - part.box.right, 6) for part in building.parts)
        return lefts == mirrored

    count = sum(map(symmetrical, buildings()))
    assert 30 < count < 270


def test_some_houses_fill_the_picture_and_others_stand_in_it() -> None:
    widths = [building.wall.width for building in buildings()]
    assert sum(width == 1.0 for width in widths) > 30
    assert sum(width < 0.85 for width in widths) > 60
    assert sum(building.wall.top == 0.0 for building in buildings()) > 30


def test_only_low_houses_stand_alone() -> None:
    for building in buildings():
        assert building.crowded == (building.floors > 3)


def test_styles_can_be_told_apart() -> None:
    def share(style: object, kind: PartClass) -> float:
        chosen = [building for building in buildings() if building.style is style]
        return sum(bool(parts(building, kind)) for building in chosen) / len(chosen)

    assert share(COTTAGE, PartClass.BLIND) > 0.7
    assert share(COTTAGE, PartClass.PILLAR) == share(PANELS, PartClass.PILLAR) == 0.0
    assert share(PANELS, PartClass.BALCONY) > share(COTTAGE, PartClass.BALCONY)


GRID = Grid(Box(0.1, 0.2, 0.9, 1.0), crown=0.05, edge=0.04, heights=[1.5, 1.0, 1.0], widths=[1.0, 2.0, 1.0])


def test_cells_fill_the_wall_under_its_crown() -> None:
    assert GRID.cell(0, 0).bottom == pytest.approx(1.0)
    assert GRID.cell(2, 0).top == pytest.approx(GRID.crown.bottom) == pytest.approx(0.25)
    assert GRID.cell(0, 0).left == pytest.approx(0.14)
    assert GRID.cell(0, 2).right == pytest.approx(0.86)
    assert GRID.cell(0, 0).height == pytest.approx(1.5 * GRID.cell(1, 0).height)
    assert GRID.cell(1, 1).width == pytest.approx(2.0 * GRID.cell(1, 0).width)
    assert GRID.cell(1, 0, 2) == pytest.approx((0.14, GRID.cell(1, 0).top, 0.86, GRID.cell(1, 0).bottom))


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [("all", {0, 1, 2}), ("center", {1}), ("edges", {0, 2}), ("odd", {1}), ("even", {0, 2}), ("inner", {1})],
)
def test_patterns_of_bays(pattern: str, chosen: set[int]) -> None:
    assert GRID.choose(Dice(0), pattern) == chosen


def test_one_bay_is_any_bay() -> None:
    dice = Dice(0)
    assert {bay for _ in range(40) for bay in GRID.choose(dice, "one")} == {0, 1, 2}
