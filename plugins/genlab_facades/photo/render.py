"""The photo of a building."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genlab_facades.classes import PartClass
from genlab_facades.dice import Dice
from genlab_facades.photo.camera import photograph
from genlab_facades.photo.canvas import Canvas
from genlab_facades.photo.light import illuminate
from genlab_facades.photo.look import Look, choose_look
from genlab_facades.photo.materials import weather
from genlab_facades.photo.openings import paint_door, paint_shop, paint_window
from genlab_facades.photo.ornament import (
    paint_balcony,
    paint_blind,
    paint_cornice,
    paint_deco,
    paint_molding,
    paint_pillar,
    paint_sill,
)
from genlab_facades.photo.scenery import paint_street, paint_surroundings
from genlab_facades.photo.sky import paint_sky
from genlab_facades.photo.walls import paint_facade
from genlab_facades.plan.building import Building, Part

_LEAST_SIZE = 192
"""Smaller photos are made from one of at least this size, where thin bars and shadows still have a pixel."""


def render(building: Building, dice: Dice, size: int) -> NDArray[np.uint8]:
    """A photo (size, size, 3) of a building; the dice decide what its plan leaves open."""
    times = max(1, ceil(_LEAST_SIZE / size))
    photo = _take(building, dice, size * times)
    return photo if times == 1 else np.asarray(Image.fromarray(photo).reduce(times)).copy()


def _take(building: Building, dice: Dice, size: int) -> NDArray[np.uint8]:
    look = choose_look(dice, building)
    canvas = Canvas(size)
    paint_surroundings(canvas, building, look, dice)
    for part in building.parts:
        _paint(canvas, building, part, look, dice)
    paint_street(canvas, building)
    surface = weather(canvas.surface(), building, dice)
    scene = illuminate(surface, look.sun, look.sun_side)
    paint_sky(scene, surface.material, look, dice)
    return photograph(scene, look.exposure, dice)


def _paint(canvas: Canvas, building: Building, part: Part, look: Look, dice: Dice) -> None:
    """Draw one part over those before it."""
    match part.kind:
        case PartClass.FACADE:
            paint_facade(canvas, building, part, look)
        case PartClass.WINDOW:
            paint_window(canvas, part, look, dice)
        case PartClass.DOOR:
            paint_door(canvas, part, look, dice)
        case PartClass.SHOP:
            paint_shop(canvas, part, look, dice)
        case PartClass.MOLDING:
            paint_molding(canvas, part, look)
        case PartClass.CORNICE:
            paint_cornice(canvas, part, look)
        case PartClass.SILL:
            paint_sill(canvas, part, look)
        case PartClass.PILLAR:
            paint_pillar(canvas, part, look)
        case PartClass.BALCONY:
            paint_balcony(canvas, part, look)
        case PartClass.BLIND:
            paint_blind(canvas, part, look)
        case PartClass.DECO:
            paint_deco(canvas, part, look)
        case PartClass.BACKGROUND:
            raise ValueError("the background is what is left between the parts of a building, and no part of it")
