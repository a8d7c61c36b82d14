"""Windows, doors and shops as they look."""

from __future__ import annotations

from genlab_facades.dice import Dice
from genlab_facades.geometry import Box
from genlab_facades.photo.canvas import Canvas, Material
from genlab_facades.photo.look import Look, mix, shade
from genlab_facades.plan.building import Part

REVEAL = -0.014
"""How deep windows lie in the wall."""

_BARS = {
    "cross": ((0.5,), (0.32,)),
    "tee": ((0.5,), (0.26,)),
    "grid": ((0.5,), (0.25, 0.5, 0.75)),
    "sash": ((0.34, 0.66), (0.5,)),
    "wide": ((0.34, 0.67), ()),
    "tilt": ((0.36,), (0.74,)),
}
"""Where a window is divided: x of its uprights, y of its rails."""


def paint_window(canvas: Canvas, part: Part, look: Look, dice: Dice) -> None:
    """A window: surround, reveal, frame, glass with what it mirrors, bars."""
    form, box = part.form, part.box
    wide = min(box.width, 0.6 * box.height)
    if form == "dormer":
        form = "flat"
        canvas.box(box.part(-0.14, 0.0, 1.14, 1.0), shade(look.roof, 1.25), 0.016)
    elif look.surround or form == "round":
        canvas.form(form, box.framed(0.11 * wide), look.trim, 0.0035, Material.TRIM)
    canvas.form(form, box, shade(look.frame, 0.8), REVEAL)
    canvas.form(form, box.inset(0.02 * wide), look.frame, REVEAL)
    pane = box.inset(0.075 * wide)
    _glass(canvas, form, pane, look, dice)
    if form != "round":
        _bars(canvas, form, pane, look, 0.045 * wide)


def _glass(canvas: Canvas, form: str, pane: Box, look: Look, dice: Dice) -> None:
    """Glass mirrors the sky in its upper part, and lets a dark room be seen below; some rooms have curtains."""
    bright = dice.between(0.8, 1.2)
    mirrored = shade(mix(look.glass, look.reflection, 0.44), bright)
    canvas.form(form, pane, mirrored, REVEAL - 0.003, Material.GLASS)
    canvas.fade(form, pane, shade(look.glass, bright))
    if form in ("flat", "segment") and dice.hits(look.curtains):
        cloth = mix(look.glass, (220, 214, 200), dice.between(0.35, 0.65))
        width = dice.between(0.16, 0.32)
        for side in (pane.part(0.0, 0.14, width, 1.0), pane.part(1.0 - width, 0.14, 1.0, 1.0)):
            canvas.box(side, cloth, REVEAL - 0.003, Material.GLASS)
            canvas.fade("flat", side, shade(cloth, 0.7))


def _bars(canvas: Canvas, form: str, pane: Box, look: Look, width: float) -> None:
    uprights, rails = _BARS[look.panes]
    rise = 0.5 * pane.width / pane.height if form == "arch" else 0.0
    for x in uprights:
        top = 0.0 if x == 0.5 else 0.3 * rise
        canvas.box(pane.part(x, top, x, 1.0).inset(-width / 2.0, 0.0), look.frame, 0.8 * REVEAL)
    for rail in rails:
        y = rise + rail * (1 - rise)
        canvas.box(pane.part(0.0, y, 1.0, y).inset(0.0, -width / 2.0), look.frame, 0.8 * REVEAL)


def paint_door(canvas: Canvas, part: Part, look: Look, dice: Dice) -> None:
    """A door of one or two leaves with panels, a light above it, and a step."""
    form, box = part.form, part.box
    canvas.form(form, box.framed(0.1 * box.width), look.trim, 0.005, Material.TRIM)
    canvas.form(form, box, shade(look.trim, 0.55), 1.6 * REVEAL)
    leaf = box.inset(0.07 * box.width)._replace(bottom=box.bottom)
    canvas.form(form, leaf, look.accent, 1.5 * REVEAL)
    light = leaf.part(0.0, 0.0, 1.0, 0.25 if form == "flat" else 0.34).inset(0.05 * leaf.width)
    canvas.form(form, light, mix(look.glass, look.reflection, 0.4), 1.6 * REVEAL, Material.GLASS)
    canvas.fade(form, light, look.glass)
    for left, right in ((0.05, 0.48), (0.52, 0.95)) if dice.hits(0.7) else ((0.06, 0.94),):
        half = leaf.part(left, 0.38, right, 0.98)
        canvas.box(half, shade(look.accent, 1.12), 1.4 * REVEAL)
        for top, bottom in ((0.06, 0.5), (0.58, 0.92)):
            canvas.box(half.part(0.16, top, 0.84, bottom), shade(look.accent, 0.86), 1.5 * REVEAL)
    canvas.box(box.part(-0.08, 0.972, 1.08, 1.0), (150, 146, 138), 0.012)


def paint_shop(canvas: Canvas, part: Part, look: Look, dice: Dice) -> None:
    """A shop: a sign or an awning over panes that show what is for sale; in an arcade, an arch."""
    if part.form == "arch":
        _arch(canvas, part.box, look, dice)
        return
    box, color = part.box, shade(look.accent, 1.1)
    canvas.box(box, color, 0.004)
    window = box.part(0.03, 0.24, 0.97, 0.9)
    _display(canvas, "flat", window, look, dice)
    panes = max(2, round(window.width / (0.75 * window.height)))
    for k in range(1, panes):
        canvas.box(window.part(k / panes, 0.0, k / panes, 1.0).inset(-0.003, 0.0), color, 0.5 * REVEAL)
    if dice.hits(0.35):
        _awning(canvas, box, look)
    else:
        _sign(canvas, box, look, dice)


def _arch(canvas: Canvas, box: Box, look: Look, dice: Dice) -> None:
    canvas.form("arch", box.framed(0.08 * box.width), look.trim, 0.004, Material.TRIM)
    canvas.form("arch", box, shade(look.accent, 0.8), 1.5 * REVEAL)
    pane = box.inset(0.06 * box.width)._replace(bottom=box.bottom - 0.1 * box.height)
    _display(canvas, "arch", pane, look, dice)
    canvas.box(pane.part(0.0, 0.36, 1.0, 0.385), look.accent, REVEAL)
    canvas.box(pane.part(0.485, 0.36, 0.515, 1.0), look.accent, REVEAL)


def _display(canvas: Canvas, form: str, pane: Box, look: Look, dice: Dice) -> None:
    warm = mix(look.glass, (190, 156, 110), 0.42)
    canvas.form(form, pane, mix(look.glass, look.reflection, 0.3), 2 * REVEAL, Material.GLASS)
    canvas.fade(form, pane, warm)
    for _ in range(5):
        x, width, height = dice.between(0.05, 0.85), dice.between(0.05, 0.14), dice.between(0.12, 0.34)
        goods = mix(warm, dice.pick(((176, 90, 76), (216, 204, 180), (92, 112, 130), (60, 48, 42))), 0.5)
        canvas.box(pane.part(x, 0.98 - height, min(x + width, 0.97), 0.98), goods, 2 * REVEAL, Material.GLASS)


def _sign(canvas: Canvas, box: Box, look: Look, dice: Dice) -> None:
    """A board with the strokes of letters."""
    board = box.part(0.0, 0.02, 1.0, 0.19)
    canvas.box(board, shade(look.accent, 0.9), 0.012)
    stroke, x = 0.12 * board.height / board.width, dice.between(0.2, 0.35)
    while x < 0.72:
        width = dice.pick((1.0, 1.0, 2.4)) * stroke
        top = dice.pick((0.28, 0.28, 0.42))
        canvas.box(board.part(x, top, x + width, 0.72), (226, 216, 186), 0.013)
        x += width + dice.pick((0.9, 0.9, 0.9, 3.0)) * stroke


def _awning(canvas: Canvas, box: Box, look: Look) -> None:
    """A striped awning that stands out more the lower it hangs."""
    cloth = mix(look.accent, (160, 76, 66), 0.35)
    stripes = max(5, round(box.width / 0.022))
    for k in range(stripes):
        for step in range(4):
            strip = box.part(k / stripes, 0.02 + 0.07 * step, (k + 1.0) / stripes, 0.09 + 0.07 * step)
            canvas.box(strip, (218, 210, 194) if k % 2 else cloth, 0.008 + 0.012 * step)
