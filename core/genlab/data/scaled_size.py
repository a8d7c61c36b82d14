"""Size that images are resized to, as `input.resize` says. Importing this imports no torch."""

from __future__ import annotations

from fractions import Fraction

from genlab.config.schema import Resize


def scaled_size(stored: tuple[int, int], size: tuple[int, int], how: Resize) -> tuple[int, int]:
    """Height and width that an image is resized to, before it is cropped or padded to a size.

    They depend on its aspect alone, so that both sides of a pair are resized alike.
    """
    if how == "stretch":
        return size
    if how == "none":
        return stored
    factors = [Fraction(side, of) for side, of in zip(size, stored, strict=True)]
    factor = max(factors) if how == "crop" else min(factors)
    height, width = (max(1, int(side * factor + Fraction(1, 2))) for side in stored)
    return height, width
