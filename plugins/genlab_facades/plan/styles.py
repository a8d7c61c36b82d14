"""Ways to build a house."""

from __future__ import annotations

from dataclasses import dataclass

Color = tuple[int, int, int]
Range = tuple[float, float]
Choices = tuple[str, ...]


@dataclass(frozen=True)
class Style:
    """Common traits of houses of one kind. A choice that is listed twice is taken twice as often.

    Args:
        floors: least and greatest number of storeys.
        bay: distance of two windows' axes, in storeys.
        wall: material above the ground floor.
        base: material of the ground floor.
        walls: colors of the wall, for the lowest house of this kind first.
        trims: colors of what is carved or cast.
        frames: colors of window frames.
        roofs: colors of the roof.
        accents: colors of doors, shutters and awnings.
        window_width: share of the bay.
        window_height: share of the storey.
        tops: outlines of windows.
        panes: how windows are divided.
        headers: what is above a window.
        silhouettes: outlines of the roof.
        grounds: what is between the doors.
        surround: how likely windows have a raised frame.
        sills, moldings, pillars, decos, balconies, blinds: how likely there are any.
        balcony: forms of balconies.
        blind: forms of blinds.
        crown: height of the molding under the eaves.
    """

    floors: tuple[int, int]
    bay: Range
    wall: str
    base: str
    walls: tuple[Color, ...]
    trims: tuple[Color, ...]
    frames: tuple[Color, ...]
    roofs: tuple[Color, ...]
    accents: tuple[Color, ...]
    window_width: Range
    window_height: Range
    tops: Choices
    panes: Choices
    headers: Choices
    silhouettes: Choices
    grounds: Choices
    surround: float = 0.5
    sills: float = 0.8
    moldings: float = 0.5
    pillars: float = 0.0
    decos: float = 0.2
    balconies: float = 0.3
    blinds: float = 0.2
    balcony: Choices = ("railing",)
    blind: Choices = ("shutters",)
    crown: Range = (0.022, 0.036)


_SLATE = ((92, 94, 102), (104, 100, 100))
_TILES = ((138, 94, 78), (124, 86, 74))
_WHITE = ((220, 218, 212), (210, 206, 194))

CLASSICIST = Style(
    floors=(2, 4),
    bay=(0.7, 0.95),
    wall="plaster",
    base="ashlar",
    walls=((212, 190, 144), (206, 192, 158), (200, 192, 172)),
    trims=((230, 222, 204), (224, 218, 206)),
    frames=_WHITE,
    roofs=_TILES,
    accents=((94, 62, 44), (62, 78, 66)),
    window_width=(0.43, 0.54),
    window_height=(0.53, 0.65),
    tops=("flat", "flat", "arch"),
    panes=("cross", "grid"),
    headers=("pediment", "ledge", "alternating"),
    silhouettes=("flat", "hip", "hip", "triangle"),
    grounds=("windows", "windows", "arcade"),
    surround=0.9,
    moldings=0.4,
    pillars=0.65,
    balconies=0.25,
    balcony=("balusters", "railing"),
    crown=(0.03, 0.045),
)

GRUNDERZEIT = Style(
    floors=(4, 6),
    bay=(0.68, 0.9),
    wall="plaster",
    base="ashlar",
    walls=((204, 184, 148), (198, 184, 158), (190, 182, 166)),
    trims=((212, 200, 176), (206, 196, 180)),
    frames=((206, 198, 182), (214, 210, 200)),
    roofs=_SLATE,
    accents=((78, 54, 40), (58, 44, 38), (60, 72, 66)),
    window_width=(0.41, 0.54),
    window_height=(0.57, 0.69),
    tops=("flat", "flat", "flat", "segment", "arch"),
    panes=("cross", "cross", "tee"),
    headers=("pediment", "ledge", "bow", "alternating"),
    silhouettes=("mansard", "mansard", "flat", "hip"),
    grounds=("shops", "arcade", "windows"),
    surround=1.0,
    sills=0.95,
    moldings=0.75,
    pillars=0.45,
    decos=0.7,
    balconies=0.6,
    balcony=("balusters", "balusters", "railing"),
    blinds=0.1,
    blind=("roller",),
    crown=(0.03, 0.046),
)

NOUVEAU = Style(
    floors=(3, 5),
    bay=(0.85, 1.2),
    wall="plaster",
    base="plaster",
    walls=((198, 200, 174), (194, 196, 184), (196, 188, 180)),
    trims=((228, 222, 204), (220, 214, 200)),
    frames=((222, 220, 210), (206, 206, 192)),
    roofs=_SLATE,
    accents=((70, 86, 76), (96, 64, 46)),
    window_width=(0.49, 0.66),
    window_height=(0.53, 0.65),
    tops=("arch", "segment", "flat"),
    panes=("tee", "grid"),
    headers=("bow", "none", "ledge"),
    silhouettes=("curve", "curve", "mansard"),
    grounds=("windows", "shops", "arcade"),
    surround=0.8,
    moldings=0.35,
    pillars=0.25,
    decos=0.95,
    balconies=0.7,
    balcony=("railing", "balusters"),
    blinds=0.1,
    blind=("roller",),
)

BRICK = Style(
    floors=(3, 5),
    bay=(0.75, 1.0),
    wall="brick",
    base="brick",
    walls=((178, 134, 114), (172, 126, 108), (164, 120, 106)),
    trims=((206, 192, 166), (198, 186, 164)),
    frames=((220, 216, 204), (206, 200, 186)),
    roofs=_SLATE,
    accents=((56, 66, 60), (88, 52, 40), (50, 58, 74)),
    window_width=(0.47, 0.66),
    window_height=(0.53, 0.65),
    tops=("segment", "segment", "flat"),
    panes=("sash", "sash", "grid"),
    headers=("lintel", "lintel", "bow"),
    silhouettes=("flat", "steps", "steps", "triangle"),
    grounds=("windows", "shops"),
    surround=0.1,
    sills=0.95,
    moldings=0.55,
    pillars=0.3,
    decos=0.15,
    balconies=0.12,
    blinds=0.05,
    crown=(0.022, 0.034),
)

COTTAGE = Style(
    floors=(2, 3),
    bay=(0.85, 1.15),
    wall="plaster",
    base="plaster",
    walls=((212, 194, 160), (206, 188, 162), (202, 182, 156)),
    trims=((224, 210, 184), (230, 224, 210)),
    frames=_WHITE,
    roofs=_TILES,
    accents=((96, 122, 100), (104, 122, 136), (136, 98, 78), (112, 126, 104)),
    window_width=(0.31, 0.4),
    window_height=(0.47, 0.57),
    tops=("flat", "flat", "segment"),
    panes=("grid", "cross"),
    headers=("none", "none", "ledge"),
    silhouettes=("hip", "hip", "triangle"),
    grounds=("windows", "windows", "shops"),
    surround=0.5,
    sills=0.9,
    moldings=0.2,
    decos=0.1,
    balconies=0.35,
    blinds=0.95,
    crown=(0.014, 0.024),
)

MODERN = Style(
    floors=(3, 6),
    bay=(1.2, 1.8),
    wall="render",
    base="render",
    walls=((204, 202, 194), (200, 199, 194), (194, 194, 191)),
    trims=((190, 190, 186), (178, 180, 180)),
    frames=((84, 88, 92), (104, 106, 106)),
    roofs=_SLATE,
    accents=((76, 84, 92), (132, 70, 54), (92, 96, 94)),
    window_width=(0.65, 0.92),
    window_height=(0.45, 0.59),
    tops=("flat",),
    panes=("wide", "wide", "tilt"),
    headers=("none",),
    silhouettes=("flat",),
    grounds=("windows", "shops", "shops"),
    surround=0.0,
    sills=0.5,
    moldings=0.25,
    decos=0.05,
    balconies=0.75,
    balcony=("solid", "glass", "railing"),
    blinds=0.7,
    blind=("roller",),
    crown=(0.012, 0.02),
)

PANELS = Style(
    floors=(5, 8),
    bay=(1.0, 1.4),
    wall="panels",
    base="concrete",
    walls=((198, 192, 178), (192, 189, 180), (186, 186, 182)),
    trims=((176, 174, 168), (168, 168, 164)),
    frames=((226, 226, 222),),
    roofs=_SLATE,
    accents=((104, 124, 138), (158, 116, 84), (118, 134, 112)),
    window_width=(0.57, 0.72),
    window_height=(0.47, 0.57),
    tops=("flat",),
    panes=("wide", "tilt"),
    headers=("none",),
    silhouettes=("flat",),
    grounds=("windows", "windows", "shops"),
    surround=0.0,
    sills=0.55,
    moldings=0.05,
    decos=0.1,
    balconies=0.85,
    balcony=("solid", "railing"),
    blinds=0.3,
    blind=("roller",),
    crown=(0.012, 0.018),
)

WAREHOUSE = Style(
    floors=(4, 7),
    bay=(0.9, 1.3),
    wall="ashlar",
    base="ashlar",
    walls=((194, 182, 158), (188, 178, 158), (182, 175, 160)),
    trims=((216, 206, 186), (208, 200, 184)),
    frames=((62, 66, 66), (84, 78, 70)),
    roofs=_SLATE,
    accents=((70, 60, 52), (60, 70, 66)),
    window_width=(0.65, 0.80),
    window_height=(0.59, 0.71),
    tops=("flat", "flat", "segment"),
    panes=("grid", "wide"),
    headers=("none", "lintel"),
    silhouettes=("flat",),
    grounds=("shops", "shops", "arcade"),
    surround=0.15,
    sills=0.6,
    moldings=0.4,
    pillars=0.95,
    decos=0.4,
    balconies=0.08,
    blinds=0.1,
    blind=("roller",),
    crown=(0.032, 0.05),
)

STYLES = (CLASSICIST, GRUNDERZEIT, NOUVEAU, BRICK, COTTAGE, MODERN, PANELS, WAREHOUSE)
