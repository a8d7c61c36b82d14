"""Walls, gables and roofs as they look."""

from __future__ import annotations

from genlab_facades.photo.canvas import Canvas, Material
from genlab_facades.photo.look import Look
from genlab_facades.plan.building import Building, Part


def paint_facade(canvas: Canvas, building: Building, part: Part, look: Look) -> None:
    """The wall with its ground floor, a roof, or a gable with its coping."""
    form, box = part.form, part.box
    if form == "flat":
        canvas.box(box, look.wall, 0.0, Material.WALL)
        canvas.box(building.base, look.base, 0.002, Material.BASE)
    elif form in ("mansard", "hip"):
        canvas.form(form, box, look.roof, -0.012, Material.ROOF)
    else:
        canvas.form(form, box, look.trim, 0.008, Material.TRIM)
        canvas.form(form, box.part(0.03, 0.07, 0.97, 1.0), look.wall, 0.0, Material.WALL)
