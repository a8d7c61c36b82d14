"""Textures of walls, roofs, leaves and glass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlab_facades.dice import Dice
from genlab_facades.photo.canvas import Material, Surface
from genlab_facades.plan.building import Building

Field = NDArray[np.float32]


class Courses(NamedTuple):
    """Stones laid in rows, every other row shifted by half a stone.

    Args:
        height: of one row.
        width: of one stone.
        joint: between two stones.
        groove: how deep joints are, which makes light and shadow.
        contrast: how much lighter, or darker, joints are than stones.
        spread: standard deviation of the stones' brightness.
    """

    height: float
    width: float
    joint: float
    groove: float
    contrast: float
    spread: float


_COURSES = {
    "brick": Courses(1 / 110, 1 / 44, 1 / 560, 0.0004, 0.2, 0.06),
    "ashlar": Courses(1 / 28, 1 / 12, 1 / 200, 0.003, -0.16, 0.02),
    "concrete": Courses(1 / 9, 1 / 7, 1 / 300, 0.0006, -0.08, 0.02),
    "tiles": Courses(1 / 80, 1 / 66, 1 / 420, 0.0006, -0.2, 0.05),
}
_STAINS = {
    Material.WALL: 0.026,
    Material.BASE: 0.034,
    Material.TRIM: 0.03,
    Material.ROOF: 0.05,
    Material.GLASS: 0.16,
    Material.STREET: 0.03,
    Material.FAR: 0.04,
    Material.LEAVES: 0.26,
}
"""How strongly each material's brightness varies from place to place."""
_STREAKS = {Material.WALL: 0.016, Material.BASE: 0.016, Material.TRIM: 0.016}
"""How strongly rain has drawn lines down each material."""


def weather(surface: Surface, building: Building, dice: Dice) -> Surface:
    """Give every place the texture of its material: joints, stains, and traces of rain."""
    size = len(surface.depth)
    stains = 0.7 * resampled(dice.noise(9, 9), size) + 0.7 * resampled(dice.noise(70, 70), size)
    streaks = resampled(dice.noise(5, 90), size)
    gain = 1.0 + _by_material(_STAINS)[surface.material] * stains
    gain += _by_material(_STREAKS)[surface.material] * streaks
    depth = surface.depth.copy()
    for material, name in _textures(building):
        courses = _panels(building) if name == "panels" else _COURSES.get(name)
        if courses:
            where = surface.material == material
            joints, stones = _lay(courses, building, dice, size)
            gain += where * (courses.contrast * joints + courses.spread * stones * (1 - joints))
            depth -= where * (courses.groove * joints)
    gain *= _soot(building, size)
    return surface._replace(color=surface.color * gain, depth=depth)


def _by_material(values: dict[Material, float]) -> Field:
    return np.array([values.get(material, 0.0) for material in Material], np.float32)


def _textures(building: Building) -> tuple[tuple[Material, str], ...]:
    style = building.style
    return (Material.WALL, style.wall), (Material.BASE, style.base), (Material.ROOF, "tiles")


def _panels(building: Building) -> Courses:
    """Slabs as high as a storey."""
    height = building.wall.height / building.floors
    return Courses(height, 1.2 * height, 1 / 240, 0.0012, -0.1, 0.02)


def _lay(courses: Courses, building: Building, dice: Dice, size: int) -> tuple[Field, Field]:
    """Share of joint in each pixel, and the difference of each stone from the others."""
    edges = np.arange(size + 1) / size
    rows, row_joints = _divide(1.0 + edges - building.wall.bottom, courses.height, courses.joint)
    table = dice.noise(64, 64)[rows % 64]
    joints, stones = np.empty((2, size, size), np.float32)
    for shift in (0, 1):
        columns, column_joints = _divide(edges + 1.0 + 0.5 * shift * courses.width, courses.width, courses.joint)
        mine = rows % 2 == shift
        joints[mine] = np.maximum(row_joints[mine, None], column_joints)
        stones[mine] = table[mine][:, columns % 64]
    return joints, stones


def _divide(edges: NDArray[np.float64], pitch: float, joint: float) -> tuple[NDArray[np.intp], Field]:
    """Cell of each pixel, and the share of it that the joint covers, exactly, at any size."""
    covered = np.floor(edges / pitch) * joint + np.minimum(edges % pitch, joint)
    share = np.diff(covered) / np.diff(edges)
    middles = 0.5 * (edges[1:] + edges[:-1])
    return np.floor(middles / pitch).astype(np.intp), share.astype(np.float32)


def resampled(grid: Field, size: int) -> Field:
    """A grid of numbers as a smooth field, the same at every size."""
    return np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC))


def _soot(building: Building, size: int) -> Field:
    """Walls are dirty near the ground, and the sky's light is weaker there."""
    height = building.wall.bottom - np.linspace(0, 1, size, dtype=np.float32)
    dirt = 0.14 / (1.0 + (np.maximum(height, 0.0) / 0.05) ** 2)
    return np.asarray(1.04 - 0.08 * (1.0 - height) - dirt, np.float32)[:, None]
