"""What a camera makes of a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab_images.facade.dice import Dice

Field = NDArray[np.float32]

_CONTRAST = 0.5
"""How much darks are darkened and lights lightened."""


def photograph(scene: Field, exposure: float, dice: Dice) -> NDArray[np.uint8]:
    """A photo of a scene: with more contrast, darker in the corners, with grain."""
    size = len(scene)
    across = np.linspace(-1, 1, size, dtype=np.float32) ** 2
    vignette = exposure / 255 * (1.0 - 0.07 * (across[:, None] + across))
    light = np.clip(scene * vignette[..., None], 0.0, 1.0)
    picture = light * (1.0 + _CONTRAST * (1.0 - light) * (2.0 * light - 1.0))
    picture += (0.011 * dice.noise(size, size))[..., None]
    return (np.clip(picture, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
