"""The sky behind a house."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab_facades.dice import Dice
from genlab_facades.photo.canvas import Material
from genlab_facades.photo.look import Look
from genlab_facades.photo.materials import Field, resampled


def paint_sky(scene: Field, material: NDArray[np.uint8], look: Look, dice: Dice) -> None:
    """Put in a sky that is paler towards the houses, with a few clouds.

    Args:
        scene: colors (3, height, width), changed in place.
        material: what is seen where (height, width).
        look: the sky's colors.
        dice: for the clouds.
    """
    size = len(material)
    seen = material == Material.SKY
    height = np.linspace(0, 2.5, size, dtype=np.float32)[:, None]
    clouds = np.clip(0.5 * resampled(dice.noise(16, 6), size), 0.0, 0.6)
    share = np.minimum(height + look.clouds * clouds, 1.0)[seen]
    for plane, top, low in zip(scene, look.sky_top, look.sky_low, strict=True):
        plane[seen] = top + share * (low - top)
