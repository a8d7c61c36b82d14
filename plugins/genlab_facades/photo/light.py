"""Light on a surface: what the sun reaches, and what only the sky does."""

from __future__ import annotations

import numpy as np
from PIL import Image

from genlab_facades.photo.canvas import Material, Surface
from genlab_facades.photo.materials import Field

_SUN = np.array((1.05, 1.0, 0.92), np.float32)[:, None, None]
_SKY = np.array((0.91, 1.0, 1.12), np.float32)[:, None, None]
_FALL = 1.3
"""How far a shadow falls down, in lengths of what throws it."""
_DEEPEST = -0.03
"""Light does not care what lies behind this: it is another building's."""


def illuminate(surface: Surface, sun: float, side: float) -> Field:
    """Colors (3, height, width) under a sun from above and from one side.

    Args:
        surface: what is lit.
        sun: share of the sun in the light; the rest comes from everywhere.
        side: how far shadows fall to the right, in lengths of what throws them.
    """
    depth = np.maximum(surface.depth, _DEEPEST)
    takes = (surface.material != Material.SKY) & (surface.material != Material.FAR)
    direct = sun * (1.0 - takes * _shadows(depth, side)) * (1.0 + takes * _slopes(depth, side))
    ambient = (1.0 - sun) * (1.0 - takes * _hollows(depth))
    return surface.color * (direct * _SUN + ambient * _SKY)


def _shadows(depth: Field, side: float, reach: float = 0.055, softness: float = 0.003) -> Field:
    """Shadows: 0 in the light, 1 where the way to the sun is blocked.

    The way is followed in steps of about a pixel and a half; at each, what stands there is compared with the way's
    height.
    """
    size = len(depth)
    steps = max(16, round(reach * _FALL * size / 1.5))
    margin = round(reach * _FALL * size) + 1
    wide = np.pad(depth, margin, mode="edge")
    highest = np.full_like(depth, -1.0)
    for step in range(1, steps + 1):
        height = reach * step / steps
        top, left = margin - round(height * _FALL * size), margin - round(height * side * size)
        np.maximum(highest, wide[top : top + size, left : left + size] - height, out=highest)
    return np.clip((highest - depth) / softness, 0.0, 1.0)


def _slopes(depth: Field, side: float, strength: float = 9.0) -> Field:
    """Edges that face the sun are brighter, edges that turn away darker."""
    scale = strength * len(depth) / 256
    down, across = np.gradient(depth)
    return np.clip(np.asarray(scale * (down + side * across), np.float32), -0.5, 0.35)


def _hollows(depth: Field, strength: float = 18.0) -> Field:
    """Less of the sky is seen from places that lie lower than what is around them."""
    size = len(depth)
    grid = max(8, round(size / 6))
    small = Image.fromarray(depth).resize((grid, grid), Image.Resampling.BOX)
    around = np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))
    return np.clip(strength * (around - depth), 0.0, 0.6)
