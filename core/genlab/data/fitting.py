"""Images fitted to the size that networks see, as `input.resize` says, and crops of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from genlab.config.schema import Resize
from genlab.data.scaled_size import scaled_size
from genlab.data.sides import TensorSpec, resize
from genlab.errors import DataError

Shares = Sequence[float]
MIDDLE: Shares = (0.5, 0.5)
"""The place of a crop in the middle: shares of the way from the top to the bottom, and from the left to the right."""


def fit(
    image: Shaped[Tensor, "c h w"], side: TensorSpec, size: tuple[int, int], how: Resize, scale: int, where: str
) -> Shaped[Tensor, "c j k"]:
    """Fit an image to a height and width; with `none` it stays as it is, and is cropped when it is used.

    Args:
        image: as it is stored.
        side: what it is.
        size: height and width to give, multiples of `scale`.
        how: the recipe's `input.resize`.
        scale: how many times as large as conditions it is; it is cropped and padded by pixels of conditions.
        where: its name, for errors.

    Raises:
        DataError: with `none`, it is smaller than the size.
    """
    stored = (image.shape[1], image.shape[2])
    if how == "stretch":
        return resize(image, side, size)
    if how == "none":
        _require_room(stored, size, where)
        return image
    height, width = scaled_size(stored, (size[0] // scale, size[1] // scale), how)
    resized = resize(image, side, (height * scale, width * scale))
    return crop(resized, size, MIDDLE, scale) if how == "crop" else _padded(resized, size, scale)


def crop(
    image: Shaped[Tensor, "c h w"], size: tuple[int, int], place: Shares, scale: int = 1
) -> Shaped[Tensor, "c j k"]:
    """Cut an image to a height and width at a place, from (0, 0) in the upper left corner to (1, 1) in the lower right.

    An image that is `scale` times as large as conditions is cut at pixels of conditions.
    """
    rooms = ((whole - kept) // scale for whole, kept in zip(image.shape[1:], size, strict=True))
    top, left = (min(int(share * (room + 1)), room) * scale for share, room in zip(place, rooms, strict=True))
    return image[:, top : top + size[0], left : left + size[1]].contiguous()  # a view would hold all of the image


def _padded(image: Shaped[Tensor, "c h w"], size: tuple[int, int], scale: int) -> Shaped[Tensor, "c j k"]:
    """An image in the middle of a height and width, its borders repeated."""
    rows, columns = (
        (torch.arange(whole) - (whole - kept) // scale // 2 * scale).clamp(0, kept - 1)
        for whole, kept in zip(size, image.shape[1:], strict=True)
    )
    return image[:, rows[:, None], columns]


def _require_room(stored: tuple[int, int], size: tuple[int, int], where: str) -> None:
    if stored[0] < size[0] or stored[1] < size[1]:
        what = "it is {} x {}, and crops of {} x {} are taken from it".format(*stored, *size)
        hint = 'Reduce input.size, or set input.resize = "crop", which enlarges such images.'
        raise DataError(what, where=where, hint=hint)
