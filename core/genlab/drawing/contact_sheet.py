"""Contact sheets: pictures in named columns. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GAP = 2
_CAPTION = 20
_LEAST_WIDTH = 96


def contact_sheet(columns: Mapping[str, NDArray[np.uint8]]) -> Image.Image:
    """Draw pictures in columns on white.

    Args:
        columns: by name, uint8 arrays (rows, height, width, 3), all of one shape; small pictures are enlarged, pixel by
            pixel, until a name fits above them.
    """
    sides = {name: _enlarged(pictures) for name, pictures in columns.items()}
    rows, height, width, _ = next(iter(sides.values())).shape
    across, down = width + _GAP, height + _GAP
    sheet = Image.new("RGB", (len(sides) * across + _GAP, _CAPTION + rows * down), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, (name, side) in enumerate(sides.items()):
        left = _GAP + column * across
        draw.text((left + width / 2, _CAPTION / 2), name, fill="black", font=font, anchor="mm")
        for row, picture in enumerate(side):
            sheet.paste(Image.fromarray(picture), (left, _CAPTION + row * down))
    return sheet


def _enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = -(-_LEAST_WIDTH // pictures.shape[2])
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)
