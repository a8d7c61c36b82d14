"""Contact sheets: pictures in titled columns. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GAP = 2
_LINE = 20
_PADDING = 10
_LEAST_WIDTH = 96


def contact_sheet(columns: Mapping[str, NDArray[np.uint8]]) -> Image.Image:
    """Draw pictures in columns on white.

    Args:
        columns: by title, of one line or several, uint8 arrays (rows, height, width, 3), all of one shape; small
            pictures are enlarged, pixel by pixel, and columns are as wide as their titles.
    """
    sides = {title: _enlarged(pictures) for title, pictures in columns.items()}
    rows, height, width, _ = next(iter(sides.values())).shape
    font = ImageFont.load_default(13)
    head = _LINE * max(title.count("\n") + 1 for title in sides)
    widths = [max(width, *(int(font.getlength(line)) + _PADDING for line in title.split("\n"))) for title in sides]
    sheet = Image.new("RGB", (sum(widths) + _GAP * (len(sides) + 1), head + rows * (height + _GAP)), "white")
    draw, left = ImageDraw.Draw(sheet), _GAP
    for (title, side), across in zip(sides.items(), widths, strict=True):
        for line, text in enumerate(title.split("\n")):
            draw.text((left + across / 2, _LINE * (line + 0.5)), text, fill="black", font=font, anchor="mm")
        for row, picture in enumerate(side):
            sheet.paste(Image.fromarray(picture), (left + (across - width) // 2, head + row * (height + _GAP)))
        left += across + _GAP
    return sheet


def _enlarged(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = -(-_LEAST_WIDTH // pictures.shape[2])
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)
