"""Parts of a picture, in units of the picture's side."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_facades.classes import PartClass
from genlab_facades.geometry import Box
from genlab_facades.plan.styles import Style

LAYERS = (
    PartClass.FACADE,
    PartClass.PILLAR,
    PartClass.MOLDING,
    PartClass.DECO,
    PartClass.WINDOW,
    PartClass.DOOR,
    PartClass.SHOP,
    PartClass.SILL,
    PartClass.CORNICE,
    PartClass.BLIND,
    PartClass.BALCONY,
)
"""Which class lies over which: later ones cover earlier ones, in the label map as in the photo."""


@dataclass(frozen=True)
class Part:
    """A piece of a building that the label map names.

    Args:
        kind: its class.
        box: where it is; the label map shows all of it, but for parts of the facade itself, which have an outline.
        form: the outline or variant.
    """

    kind: PartClass
    box: Box
    form: str = "flat"


@dataclass(frozen=True)
class Building:
    """A house, front on.

    Args:
        style: what it was built after.
        wall: its front from the eaves to the ground, without the roof.
        base: the ground floor's share of the wall.
        floors: how many storeys, the ground floor included.
        crowded: whether other houses stand beside it, rather than trees.
        roof: the outline of what stands above the eaves.
        ridge: where the roof ends; equal to the wall's top under a flat roof.
        parts: its pieces in the order of painting.
    """

    style: Style
    wall: Box
    base: Box
    floors: int
    crowded: bool
    roof: str
    ridge: float
    parts: tuple[Part, ...]
