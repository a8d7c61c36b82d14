"""Moldings, cornices, sills, pillars, balconies, blinds and carvings as they look."""

from __future__ import annotations

from genlab_facades.geometry import Box
from genlab_facades.photo.canvas import Canvas, Material
from genlab_facades.photo.look import Look, shade
from genlab_facades.plan.building import Part


def paint_molding(canvas: Canvas, part: Part, look: Look) -> None:
    """A band, or the crown of the wall, which stands out more towards its top."""
    box = part.box
    if part.form == "band":
        canvas.box(box, look.trim, 0.006, Material.TRIM)
        canvas.box(box.part(-0.006, 0.0, 1.006, 0.4), look.trim, 0.011, Material.TRIM)
        return
    for top, bottom, depth in ((0.0, 1.0, 0.005), (0.0, 0.55, 0.012), (0.0, 0.32, 0.024), (0.0, 0.12, 0.027)):
        canvas.box(box.part(-0.3 * depth, top, 1.0 + 0.3 * depth, bottom), look.trim, depth, Material.TRIM)
    if part.form == "dentils":
        teeth = int(box.width / (0.4 * box.height))
        for k in range(teeth):
            canvas.box(box.part((k + 0.2) / teeth, 0.32, (k + 0.75) / teeth, 0.68), look.trim, 0.018)


def paint_cornice(canvas: Canvas, part: Part, look: Look) -> None:
    """Paint the part above a window or a door."""
    box = part.box
    if part.form == "lintel":
        canvas.box(box, shade(look.trim, 0.96), 0.003, Material.TRIM)
        canvas.box(box.part(0.42, 0.0, 0.58, 1.0), look.trim, 0.007)
    elif part.form == "canopy":
        canvas.box(box, shade(look.metal, 1.4), 0.03)
    elif part.form in ("pediment", "bow"):
        form = "triangle" if part.form == "pediment" else "segment"
        canvas.box(box.part(0.06, 0.6, 0.94, 1.0), look.trim, 0.004, Material.TRIM)
        canvas.form(form, box.part(0.0, 0.0, 1.0, 0.78), look.trim, 0.014, Material.TRIM)
        canvas.form(form, box.part(0.15, 0.25, 0.85, 0.66), shade(look.trim, 0.9), 0.004, Material.TRIM)
    else:
        canvas.box(box.part(0.05, 0.0, 0.95, 1.0), look.trim, 0.004, Material.TRIM)
        canvas.box(box.part(0.0, 0.0, 1.0, 0.5), look.trim, 0.013, Material.TRIM)


def paint_sill(canvas: Canvas, part: Part, look: Look) -> None:
    """A sill, and its edge."""
    canvas.box(part.box, look.trim, 0.009, Material.TRIM)
    canvas.box(part.box.part(0.05, 0.62, 0.95, 1.0), shade(look.trim, 0.92), 0.004, Material.TRIM)


def paint_pillar(canvas: Canvas, part: Part, look: Look) -> None:
    """A pilaster with foot and capital, or a plain strip of the wall's own stuff."""
    box = part.box
    if part.form == "strip":
        canvas.box(box, shade(look.wall, 1.07), 0.009, Material.WALL)
        return
    canvas.box(box.part(0.1, 0.0, 0.9, 1.0), look.trim, 0.006, Material.TRIM)
    canvas.box(box.part(0.26, 0.08, 0.74, 0.93), shade(look.trim, 1.03), 0.009, Material.TRIM)
    end = 1.1 * box.width / box.height
    for top, bottom in ((0.0, end), (1.0 - end, 1.0)):
        canvas.box(box.part(0.0, top, 1.0, bottom), look.trim, 0.011)


def paint_balcony(canvas: Canvas, part: Part, look: Look) -> None:
    """A slab, and a parapet that may be seen through."""
    box = part.box
    depth = 0.034
    parapet = box.part(0.0, 0.0, 1.0, 0.9)
    if part.form == "solid":
        canvas.box(parapet, shade(look.wall, 0.95), depth, Material.WALL)
        canvas.box(box.part(-0.01, 0.0, 1.01, 0.07), look.trim, depth + 0.004)
    elif part.form == "glass":
        canvas.box(parapet, (172, 184, 188), depth)
        canvas.fade("flat", parapet, (128, 140, 146))
        canvas.box(box.part(0.0, 0.0, 1.0, 0.05), look.metal, depth)
    else:
        _railing(canvas, box, look, part.form == "balusters", depth)
    canvas.box(box.part(-0.02, 0.88, 1.02, 1.0), shade(look.trim, 0.95), depth + 0.003, Material.TRIM)
    for x in (0.12, 0.8):
        canvas.box(box.part(x, 1.0, x + 0.08, 1.14), shade(look.trim, 0.85), 0.016, Material.TRIM)


def _railing(canvas: Canvas, box: Box, look: Look, stone: bool, depth: float) -> None:
    """Bars, or balusters of stone, before the dark of the balcony."""
    color = look.trim if stone else look.metal
    pitch = 0.012 if stone else 0.0075
    count = max(4, round(box.width / pitch))
    for k in range(count + 1):
        x, half = k / count, (0.3 if stone else 0.1) / count
        canvas.box(box.part(max(x - half, 0.0), 0.05, min(x + half, 1.0), 0.9), color, depth)
    canvas.box(box.part(-0.01, 0.0, 1.01, 0.13 if stone else 0.07), color, depth + 0.003)
    for x in (0.0, 0.92):
        canvas.box(box.part(x, 0.0, x + 0.08, 0.9), color, depth + (0.003 if stone else 0.0))


def paint_blind(canvas: Canvas, part: Part, look: Look) -> None:
    """Shutters at the sides, or a blind that is let down, with slats."""
    box = part.box
    if part.form == "shutters":
        canvas.box(box.inset(0.04 * box.width, 0.0), look.accent, 0.007)
        inner, color, depth = box.inset(0.16 * box.width, 0.07 * box.height), shade(look.accent, 0.84), 0.005
    else:
        canvas.box(box, (176, 172, 160), -0.006)
        inner, color, depth = box, (156, 152, 142), -0.007
    slats = max(3, round(inner.height / 0.009))
    for k in range(slats):
        canvas.box(inner.part(0.0, (k + 0.5) / slats, 1.0, (k + 1.0) / slats), color, depth)


def paint_deco(canvas: Canvas, part: Part, look: Look) -> None:
    """A carved panel, a rosette, a garland, or a crest."""
    box = part.box
    if part.form == "rosette":
        canvas.form("round", box, look.trim, 0.006, Material.TRIM)
        canvas.form("round", box.part(0.16, 0.16, 0.84, 0.84), shade(look.trim, 0.9), 0.003, Material.TRIM)
        canvas.form("round", box.part(0.32, 0.32, 0.68, 0.68), look.trim, 0.008, Material.TRIM)
    elif part.form == "panel":
        canvas.box(box, look.trim, 0.004, Material.TRIM)
        edge = 0.14 * min(box.width, box.height)
        canvas.box(box.inset(edge), shade(look.trim, 0.92), 0.0015, Material.TRIM)
        canvas.form("round", box.part(0.34, 0.24, 0.66, 0.76), look.trim, 0.005, Material.TRIM)
    else:
        canvas.box(box, shade(look.trim, 0.97), 0.002, Material.TRIM)
        for k in range(4):
            x = 0.06 + 0.23 * k
            drop = 0.24 if k in (0, 3) else 0.5
            canvas.form("round", box.part(x, drop - 0.2, x + 0.2, drop + 0.36), look.trim, 0.007, Material.TRIM)
