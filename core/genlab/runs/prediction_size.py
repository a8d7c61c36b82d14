"""Size at which an image is predicted. Importing this imports no torch."""

from __future__ import annotations

from typing import Any, Literal

from genlab.config.schema import Resize
from genlab.data.scaled_size import scaled_size
from genlab.errors import ArgumentError
from genlab.runs.manifest import StoredPairs

PredictionSize = Literal["training", "stored"] | int | tuple[int, int]
"""Setting for the size at which images are predicted; one number is a square."""


def size_to_predict(
    stored: tuple[int, int],
    setting: PredictionSize,
    pairs: StoredPairs | None,
    trained: tuple[int, int],
    how: Resize = "stretch",
) -> tuple[int, int]:
    """Height and width that an image is resized to before it is predicted.

    Validation resizes every pair to `input.size`, as `input.resize` says. With `training`, an image gets the factors by
    which that resized the run's pairs, for height and for width, so that objects in it have the scale of training.
    Where pairs were stored in several sizes there is no such factor: every image is resized as every pair was. Either
    way a validation file is predicted at the scale at which validation predicted it; it is neither cropped nor padded.

    Args:
        stored: the image's height and width in pixels.
        setting: `training`; `stored` for no resizing; or a height and width.
        pairs: the run's pairs; without a record, `training` does not resize.
        trained: the recipe's `input.size`.
        how: the recipe's `input.resize`.

    Raises:
        ArgumentError: the setting is invalid.
    """
    if setting not in ("training", "stored"):
        return _as_given(setting)
    if setting == "stored" or pairs is None:
        return stored
    known = pairs.only or stored
    resized = scaled_size(known, trained, how)
    height, width = (max(1, round(side * to / of)) for side, to, of in zip(stored, resized, known, strict=True))
    return height, width


def _as_given(setting: Any) -> tuple[int, int]:
    sides = setting if isinstance(setting, tuple) else (setting, setting)
    if len(sides) != 2 or not all(type(side) is int and side >= 1 for side in sides):
        what = f"expected training, stored, or height and width of 1 pixel at least, got {setting!r}"
        raise ArgumentError(what, where="size")
    return sides
