"""The colors and the weather of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlab_facades.dice import Dice
from genlab_facades.plan.building import Building
from genlab_facades.plan.styles import Color


@dataclass(frozen=True)
class Look:
    """Choices that the plan leaves open. Colors are sRGB, before light and shadow.

    Args:
        wall, base, trim, frame, roof: colors of the wall, the ground floor, what is carved, window frames, the roof.
        accent: color of doors, shutters, shop fronts and awnings.
        metal: color of railings and edges.
        glass: color of a dark room behind glass.
        reflection: color of what glass mirrors.
        panes: how windows are divided.
        curtains: share of windows that have some.
        surround: whether windows have a raised frame.
        sky_top, sky_low: colors of the sky.
        clouds: how much there is of them, from 0 to 1.
        sun: the sun's share in the light.
        sun_side: how far shadows fall to the right, in lengths of what throws them.
        exposure: of the photo; 1 leaves colors as they are.
    """

    wall: Color
    base: Color
    trim: Color
    frame: Color
    roof: Color
    accent: Color
    metal: Color
    glass: Color
    reflection: Color
    panes: str
    curtains: float
    surround: bool
    sky_top: Color
    sky_low: Color
    clouds: float
    sun: float
    sun_side: float
    exposure: float


def mix(a: Color, b: Color, share: float) -> Color:
    """`a` with this share of `b`."""
    red, green, blue = (round(x + share * (y - x)) for x, y in zip(a, b, strict=True))
    return red, green, blue


def shade(color: Color, factor: float) -> Color:
    """A color made darker, or lighter by a factor above 1."""
    red, green, blue = (min(255, round(factor * x)) for x in color)
    return red, green, blue


def choose_look(dice: Dice, building: Building) -> Look:
    """Colors as they were usual for such a building, and the weather of the day."""
    style = building.style
    wall = _tinted(dice, _by_height(dice, style.walls, building), 5.0)
    trim = _tinted(dice, dice.pick(style.trims), 4.0)
    cloudy = dice.between(0.0, 1.0)
    return Look(
        wall=wall,
        base=shade(mix(wall, (152, 146, 136), 0.0 if style.base == style.wall else 0.4), dice.between(0.93, 0.97)),
        trim=mix(trim, wall, dice.between(0.0, 0.4)),
        frame=dice.pick(style.frames),
        roof=_tinted(dice, dice.pick(style.roofs), 6.0),
        accent=_tinted(dice, dice.pick(style.accents), 8.0),
        metal=dice.pick(((78, 80, 82), (90, 90, 88), (82, 88, 84))),
        glass=dice.pick(((32, 36, 40), (38, 40, 40), (30, 36, 44))),
        reflection=mix((150, 170, 190), (176, 178, 178), cloudy),
        panes=dice.pick(style.panes),
        curtains=dice.between(0.1, 0.4),
        surround=dice.hits(style.surround),
        sky_top=mix((164, 190, 214), (198, 204, 210), cloudy),
        sky_low=mix((202, 218, 230), (222, 224, 224), cloudy),
        clouds=dice.between(0.2, 1.0) * (1.0 - 0.5 * cloudy),
        sun=dice.between(0.6, 0.74) - 0.12 * cloudy,
        sun_side=dice.pick((-1.0, 1.0)) * dice.between(0.25, 0.7),
        exposure=dice.between(1.06, 1.12),
    )


def _by_height(dice: Dice, walls: Sequence[Color], building: Building) -> Color:
    """The colors of the lowest and the highest houses of a style differ, so that a wall's color can be guessed."""
    low, high = building.style.floors
    place = (building.floors - low) / (high - low) * (len(walls) - 1) + dice.between(-0.4, 0.4)
    return walls[min(max(round(place), 0), len(walls) - 1)]


def _tinted(dice: Dice, color: Color, spread: float) -> Color:
    """A color, a little lighter or darker and a little off."""
    common = dice.between(-spread, spread)
    red, green, blue = (round(x + common + dice.between(-0.5 * spread, 0.5 * spread)) for x in color)
    return red, green, blue
