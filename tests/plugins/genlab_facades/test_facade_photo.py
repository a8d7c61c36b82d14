"""From shapes to a photo: canvas, textures, light and camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.labels import label_map
from genlab_facades.photo.camera import photograph
from genlab_facades.photo.canvas import Canvas, Material, Surface
from genlab_facades.photo.light import illuminate
from genlab_facades.photo.look import choose_look, mix, shade
from genlab_facades.photo.materials import weather
from genlab_facades.photo.openings import paint_window
from genlab_facades.photo.render import render
from genlab_facades.photo.sky import paint_sky
from genlab_facades.plan.building import Building, Part
from genlab_facades.plan.layout import lay_out
from genlab_facades.plan.styles import BRICK, CLASSICIST, MODERN, Style

WHITE, GRAY, RED = (255, 255, 255), (128, 128, 128), (200, 30, 20)
LEDGE = Box(0.25, 0.4, 0.75, 0.45)


def wall(size: int = 128, material: Material = Material.WALL) -> Canvas:
    canvas = Canvas(size)
    canvas.box(Box(0.0, 0.0, 1.0, 1.0), GRAY, 0.0, material)
    return canvas


def plan(style: Style) -> Building:
    return next(house for house in (lay_out(Dice(0, index)) for index in range(200)) if house.style is style)


def test_a_canvas_holds_what_was_drawn_on_it() -> None:
    canvas = wall(40)
    canvas.box(Box(0.25, 0.5, 0.5, 1.0), RED, 0.02, Material.TRIM)
    color, depth, material = canvas.surface()
    assert color.shape == (3, 40, 40)
    inside = np.zeros((40, 40), bool)
    inside[20:40, 10:20] = True
    assert (color[:, inside].T == RED).all()
    assert (color[:, ~inside].T == GRAY).all()
    assert np.allclose(depth, np.where(inside, 0.02, 0.0))
    assert (material == np.where(inside, Material.TRIM, Material.WALL)).all()


def test_edges_within_a_pixel_are_blended() -> None:
    canvas = wall(40)
    canvas.box(Box(0.0, 0.0, 0.5125, 1.0), WHITE, 0.0)
    assert canvas.surface().color[0, 20, 19:22].tolist() == [255.0, 192.0, 128.0]


@pytest.mark.parametrize("size", [32, 128])
def test_fine_lines_are_not_lost(size: int) -> None:
    canvas = wall(size)
    canvas.box(Box(0.5, 0.0, 0.50001, 1.0), WHITE, 0.0)
    assert (canvas.surface().color[0].max(axis=1) > 150).all()


def test_fading_changes_the_lower_end_of_an_outline_only() -> None:
    canvas = wall(100)
    canvas.fade("round", Box(0.2, 0.2, 0.8, 0.8), WHITE)
    brightness = canvas.surface().color[0]
    assert brightness[22, 50] == pytest.approx(128, abs=8)
    assert brightness[77, 50] > 240
    assert (np.diff(brightness[25:75, 50]) >= 0).all()
    assert brightness[77, 22] == brightness[90, 50] == 128


def lit(canvas: Canvas, side: float = 0.0) -> np.ndarray:
    return illuminate(canvas.surface(), sun=0.6, side=side).mean(axis=0)


def test_a_ledge_throws_its_shadow_downwards() -> None:
    canvas = wall()
    canvas.box(LEDGE, GRAY, 0.03)
    light = lit(canvas)
    assert light[60, 64] < 0.7 * light[45, 64]
    assert light[75, 64] == pytest.approx(light[20, 64], rel=0.02)


def test_a_longer_ledge_throws_a_longer_shadow() -> None:
    def length(depth: float) -> int:
        canvas = wall()
        canvas.box(LEDGE, GRAY, depth)
        light = lit(canvas)
        return int((light[58:, 64] < 0.7 * light[20, 64]).sum())

    assert length(0.04) > 1.6 * length(0.02) > 0


def test_shadows_fall_away_from_the_sun() -> None:
    canvas = wall()
    canvas.box(LEDGE, GRAY, 0.04)
    right, left = lit(canvas, side=0.7), lit(canvas, side=-0.7)
    assert right[59, 97] < 0.7 * right[59, 30]
    assert left[59, 30] < 0.7 * left[59, 97]


def test_a_recess_is_dark_at_its_upper_edge() -> None:
    canvas = wall()
    canvas.box(Box(0.25, 0.25, 0.75, 0.75), GRAY, -0.02)
    light = lit(canvas)
    assert light[33, 64] < 0.7 * light[60, 64]


@pytest.mark.parametrize("material", [Material.SKY, Material.FAR])
def test_what_is_far_takes_no_shadow(material: Material) -> None:
    canvas = wall(material=material)
    canvas.box(LEDGE, GRAY, 0.03)
    assert lit(canvas)[60, 64] == pytest.approx(lit(wall())[60, 64], rel=0.01)


def test_shadows_are_as_long_at_any_size() -> None:
    shares = []
    for size in (64, 256):
        canvas = wall(size)
        canvas.box(LEDGE, GRAY, 0.04)
        light = lit(canvas)
        shares.append((light < 0.75 * light[2, 2]).mean())
    assert shares[0] == pytest.approx(shares[1], rel=0.25)


def weathered(style: Style, size: int = 256, material: Material = Material.WALL) -> Surface:
    return weather(wall(size, material).surface(), plan(style), Dice(4))


def test_bricks_lie_in_courses() -> None:
    """Joints are regular in height: a brick wall has a strong period there, a rendered one has none."""

    def strongest(style: Style) -> float:
        rows = weathered(style).color[0].mean(axis=1)
        power = np.abs(np.fft.rfft(rows - rows.mean()))[60:]
        return power.max() / np.median(power)

    assert strongest(BRICK) > 5 * strongest(MODERN)


def test_stones_are_shifted_from_row_to_row() -> None:
    joints = weathered(CLASSICIST, material=Material.BASE).depth < -0.001
    assert joints.mean(axis=1).max() == 1.0
    assert 0.4 < joints.mean(axis=0).max() < 0.8


def test_textures_are_the_same_at_any_size() -> None:
    large, small = (weathered(BRICK, size).color[0] for size in (256, 128))
    reduced = large.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.9


def test_only_what_has_joints_gets_grooves() -> None:
    assert weathered(CLASSICIST, material=Material.BASE).depth.min() < -0.001
    assert weathered(CLASSICIST, material=Material.TRIM).depth.min() == 0.0


def test_a_sky_is_paler_towards_the_ground_and_leaves_the_rest() -> None:
    look = replace(choose_look(Dice(0), plan(MODERN)), clouds=0.0, sky_top=(90, 120, 200), sky_low=(210, 220, 230))
    scene = np.full((3, 64, 64), 7.0, np.float32)
    material = np.full((64, 64), Material.SKY, np.uint8)
    material[:, 32:] = Material.WALL
    paint_sky(scene, material, look, Dice(0))
    assert scene[:, 0, 0].tolist() == [90.0, 120.0, 200.0]
    assert scene[:, 63, 0].tolist() == [210.0, 220.0, 230.0]
    assert (np.diff(scene[0, :, 0]) >= 0).all()
    assert (scene[:, :, 32:] == 7.0).all()


def test_a_camera_darkens_corners_and_adds_grain() -> None:
    photo = photograph(np.full((3, 128, 128), 140.0, np.float32), 1.0, Dice(0))
    assert photo.shape == (128, 128, 3)
    assert photo.dtype == np.uint8
    assert photo[:16, :16].mean() < photo[56:72, 56:72].mean() - 5
    assert 1 < photo[56:72, 56:72].std() < 6


def test_a_camera_keeps_order_and_has_limits() -> None:
    steps = np.array([-50, 20, 60, 100, 140, 180, 220, 900], np.float32)
    photo = photograph(np.tile(steps.repeat(16), (3, 128, 1)), 1.0, Dice(0))
    levels = photo[40:88].reshape(48, 8, 16, 3)[:, :, 4:12].mean(axis=(0, 2, 3))
    assert (np.diff(levels) > 10).all()


def test_colors_are_mixed_and_shaded() -> None:
    assert mix((0, 100, 200), (100, 100, 0), 0.25) == (25, 100, 150)
    assert shade((100, 50, 200), 1.5) == (150, 75, 255)


def test_glass_mirrors_the_sky_above_a_dark_room() -> None:
    look = replace(choose_look(Dice(0), plan(MODERN)), curtains=0.0, panes="wide")
    canvas = wall(100)
    paint_window(canvas, Part(PartClass.WINDOW, Box(0.2, 0.2, 0.8, 0.8)), look, Dice(0))
    surface = canvas.surface()
    column = surface.color.mean(axis=0)[26:75, 30]
    assert (surface.material[26:75, 30] == Material.GLASS).all()
    assert (np.diff(column) <= 0).all()
    assert 1.8 * column[-1] < column[0] < 120
    assert (surface.depth[26:75, 30] < -0.01).all()


def test_low_and_high_houses_of_a_style_differ_in_color() -> None:
    low, high = (replace(plan(CLASSICIST), floors=floors) for floors in CLASSICIST.floors)
    colors = [np.mean([choose_look(Dice(index), house).wall for index in range(60)], axis=0) for house in (low, high)]
    assert np.abs(colors[0] - colors[1]).max() > 15


@pytest.mark.parametrize("kind", [kind for kind in PartClass if kind not in (PartClass.BACKGROUND, PartClass.FACADE)])
def test_every_part_can_be_seen(kind: PartClass) -> None:
    """A house without its parts of one class looks different where they were, and hardly elsewhere."""
    house = next(
        house for house in (lay_out(Dice(1, i)) for i in range(99)) if any(p.kind is kind for p in house.parts)
    )
    without = replace(house, parts=tuple(part for part in house.parts if part.kind is not kind))
    there, gone = (canvas_of(building) for building in (house, without))
    where = label_map(house, 128) == kind
    difference = np.abs(there - gone).mean(axis=-1)
    assert difference[where].mean() > 8
    assert difference[where].mean() > 3 * difference[~where].mean()


def canvas_of(building: Building) -> np.ndarray:
    return render(building, Dice(9), 128).astype(float)


def test_the_background_is_no_part() -> None:
    house = lay_out(Dice(0))
    with pytest.raises(ValueError, match="background"):
        render(replace(house, parts=(Part(PartClass.BACKGROUND, Box(0.0, 0.0, 1.0, 1.0)),)), Dice(0), 32)
