"""Camera that photographs a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from genlab_facades.dice import Dice

_FADED = 0.14
"""How far colors are drawn towards gray."""
_LEVELS = np.linspace(0, 1, 256)
_TONES = np.round(255 * (0.025 + 0.965 * _LEVELS * (1 + 0.3 * (1 - _LEVELS) * (2 * _LEVELS - 1)))).astype(np.uint8)
"""From light to pixel: more contrast in the middle, less at the ends, for no real photo has pure black."""


def photograph(scene: NDArray[np.float32], exposure: float, dice: Dice) -> NDArray[np.uint8]:
    """Take a photo: darker in the corners, with faded colors and grain, a little soft.

    Args:
        scene: light (3, height, width), 255 at full intensity.
        exposure: factor on the light.
        dice: for the grain.

    Returns:
        The photo (height, width, 3).
    """
    size = scene.shape[-1]
    across = np.linspace(-1, 1, size, dtype=np.float32) ** 2
    light = scene * (exposure * (1.0 - 0.06 * (across[:, None] + across)))
    gray = light.mean(axis=0)
    light += _FADED * (gray - light)
    light += 3.6 * dice.noise(size, size)
    levels = np.clip(light, 0.0, 255.0, out=light).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(_TONES[levels].transpose(1, 2, 0)))
    return np.asarray(picture.filter(ImageFilter.BoxBlur(0.4 * min(size / 256, 1.0)))).copy()
