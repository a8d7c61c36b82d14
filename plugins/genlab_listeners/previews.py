"""Pictures of what the generator makes, in the run's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from genlab import Listener, Pictures, Previewed, Started

_COLUMNS = ("condition", "prediction", "target")
_GAP = 2
_CAPTION = 20
_LEAST_WIDTH = 96


class Previews(Listener):
    """Writes `previews/<step>.png` in the run's folder: one row a pair, with condition, prediction and target."""

    def started(self, event: Started) -> None:
        self._folder = event.folder / "previews"
        self._folder.mkdir(exist_ok=True)
        for file in self._folder.glob("*.png"):
            # A stretch that was cut short may have gone on after the checkpoint that the run now goes on from.
            if file.stem.isdecimal() and int(file.stem) > event.step:
                file.unlink()

    def previewed(self, event: Previewed) -> None:
        _save(_sheet(event.pictures), self._folder / f"{event.step:06}.png")


def _sheet(pictures: Pictures) -> Image.Image:
    """All pictures on white, under the names of their columns."""
    columns = [_enlarged(side) for side in (pictures.condition, pictures.prediction, pictures.target)]
    rows, height, width, _ = columns[0].shape
    across, down = width + _GAP, height + _GAP
    sheet = Image.new("RGB", (len(columns) * across + _GAP, _CAPTION + rows * down), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for column, (name, side) in enumerate(zip(_COLUMNS, columns, strict=True)):
        left = _GAP + column * across
        draw.text((left + width / 2, _CAPTION / 2), name, fill="black", font=font, anchor="mm")
        for row, picture in enumerate(side):
            sheet.paste(Image.fromarray(picture), (left, _CAPTION + row * down))
    return sheet


def _enlarged(side: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, height, width, 3) whose pixels are repeated until a caption fits above each."""
    factor = -(-_LEAST_WIDTH // side.shape[2])
    return side.repeat(factor, axis=1).repeat(factor, axis=2)


def _save(sheet: Image.Image, file: Path) -> None:
    aside = file.with_name(f".{file.name}.tmp")
    sheet.save(aside, format="PNG")
    aside.replace(file)
