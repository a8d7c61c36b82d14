"""The photo of a building."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab_images.facade.classes import PartClass
from genlab_images.facade.dice import Dice
from genlab_images.facade.photo.camera import photograph
from genlab_images.facade.photo.canvas import Canvas, Material
from genlab_images.facade.photo.light import illuminate
from genlab_images.facade.photo.look import Look, choose_look
from genlab_images.facade.photo.materials import weather
from genlab_images.facade.photo.openings import paint_door, paint_shop, paint_window
from genlab_images.facade.photo.ornament import (
    paint_balcony,
    paint_blind,
    paint_cornice,
    paint_deco,
    paint_molding,
    paint_pillar,
    paint_sill,
)
from genlab_images.facade.photo.scenery import paint_street, paint_surroundings
from genlab_images.facade.photo.sky import paint_sky
from genlab_images.facade.plan.building import Building, Part


def render(building: Building, dice: Dice, size: int) -> NDArray[np.uint8]:
    """A photo (size, size, 3) of a building."""
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
    match part.kind:
        case PartClass.FACADE:
            _paint_facade(canvas, building, part, look)
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
            pass


def _paint_facade(canvas: Canvas, building: Building, part: Part, look: Look) -> None:
    if part.form == "mansard":
        canvas.form("mansard", part.box, look.roof, -0.012, Material.ROOF)
    elif part.form == "flat":
        canvas.box(part.box, look.wall, 0.0, Material.WALL)
        canvas.box(building.base, look.base, 0.002, Material.BASE)
    else:
        canvas.form(part.form, part.box, look.trim, 0.008, Material.TRIM)
        canvas.form(part.form, part.box.part(0.03, 0.07, 0.97, 1), look.wall, 0.0, Material.WALL)
