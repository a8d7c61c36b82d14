"""Label maps: which class each pixel gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from genlab_facades.classes import PALETTE, PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.labels import label_map
from genlab_facades.plan.building import Building, Part
from genlab_facades.plan.layout import lay_out

WALL = Part(PartClass.FACADE, Box(0.25, 0.5, 0.75, 1.0))


def building(parts: Sequence[Part]) -> Building:
    return replace(lay_out(Dice(0)), parts=tuple(parts))


def labels(*parts: Part, size: int = 40) -> np.ndarray:
    return label_map(building(parts), size)


def test_what_no_part_covers_is_background() -> None:
    assert (labels() == PartClass.BACKGROUND).all()


def test_a_wall_covers_exactly_its_pixels() -> None:
    expected = np.zeros((40, 40), np.uint8)
    expected[20:40, 10:30] = PartClass.FACADE
    assert (labels(WALL) == expected).all()


def test_a_box_covers_exactly_its_pixels_and_what_lies_under_it() -> None:
    result = labels(WALL, Part(PartClass.WINDOW, Box(0.3, 0.6, 0.4, 0.8), "arch"))
    assert (result[24:32, 12:16] == PartClass.WINDOW).all()
    assert (result == PartClass.WINDOW).sum() == 8 * 4


def test_parts_of_the_facade_have_their_outline() -> None:
    result = labels(Part(PartClass.FACADE, Box(0.0, 0.0, 1.0, 1.0), "triangle"))
    assert result[38, 20] == result[2, 20] == PartClass.FACADE
    assert result[2, 2] == result[2, 37] == PartClass.BACKGROUND
    assert (result == PartClass.FACADE).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("size", [32, 64, 286])
def test_nothing_is_too_small_to_be_seen(size: int) -> None:
    sliver = Part(PartClass.SILL, Box(0.5, 0.7, 0.5001, 0.7001))
    assert (labels(WALL, sliver, size=size) == PartClass.SILL).sum() == 1


def test_what_reaches_beyond_the_picture_is_cut_off() -> None:
    result = labels(Part(PartClass.MOLDING, Box(-0.5, 0.0, 1.5, 0.25)))
    assert (result[:10] == PartClass.MOLDING).all()
    assert (result[10:] == PartClass.BACKGROUND).all()


def test_balconies_lie_over_everything_else() -> None:
    for index in range(40):
        plan = lay_out(Dice(0, index))
        result = label_map(plan, 256)
        for part in plan.parts:
            if part.kind is PartClass.BALCONY:
                row, column = round(256 * (part.box.top + part.box.bottom) / 2), round(256 * part.box.middle)
                assert result[row, column] == PartClass.BALCONY


def test_the_map_is_the_callers_own() -> None:
    result = labels(WALL)
    result[0, 0] = PartClass.SHOP
    assert labels(WALL)[0, 0] == PartClass.BACKGROUND


def test_palette_has_a_color_for_each_class() -> None:
    assert len(set(PALETTE)) == len(PartClass) == 12
    assert [int(kind) for kind in PartClass] == list(range(12))


def test_colors_are_those_of_the_known_label_images() -> None:
    """Walls are blue, windows lighter blue, moldings across the wall orange-red, shops dark red."""
    known = {"BACKGROUND": (0, 0, 222), "FACADE": (0, 48, 255), "WINDOW": (0, 128, 255), "MOLDING": (255, 80, 0)}
    known |= {"CORNICE": (32, 255, 224), "BALCONY": (192, 255, 63), "BLIND": (255, 240, 1), "SHOP": (174, 0, 1)}
    assert {name: PALETTE[PartClass[name]] for name in known} == known
