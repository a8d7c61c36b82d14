"""The label map of a building."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from genlab_facades.classes import PartClass
from genlab_facades.geometry import polygon
from genlab_facades.plan.building import Building


def label_map(building: Building, size: int) -> NDArray[np.uint8]:
    """The class of every pixel of a square picture of `size` pixels.

    All but the facade itself are boxes, as those who labeled photos drew them. No box is lost, however small.
    """
    image = Image.new("L", (size, size), int(PartClass.BACKGROUND))
    pen = ImageDraw.Draw(image)
    for part in building.parts:
        number = int(part.kind)
        if part.kind is PartClass.FACADE and part.form != "flat":
            pen.polygon([(x * size - 0.5, y * size - 0.5) for x, y in polygon(part.form, part.box)], fill=number)
        else:
            left, top, right, bottom = (round(edge * size) for edge in part.box)
            pen.rectangle((left, top, max(right, left + 1) - 1, max(bottom, top + 1) - 1), fill=number)
    return np.asarray(image).copy()
