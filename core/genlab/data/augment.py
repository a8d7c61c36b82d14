"""Data augmentation: a random crop and flip that both sides of a pair share, for whole batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from genlab.config.schema import Input
from genlab.data.device import moved
from genlab.data.order import Draw


def load_size(settings: Input) -> tuple[int, int]:
    """The height and width that training pairs have before the crop."""
    height, width = settings.height_width
    return round(height * (1 + settings.jitter)), round(width * (1 + settings.jitter))


def crop_and_flip(
    images: Shaped[Tensor, "n c h w"], draws: Sequence[Draw], settings: Input, scale: int = 1
) -> Shaped[Tensor, "n c h2 w2"]:
    """Crop to `size` and flip each image by its draw; both sides of a pair get the same draws.

    Images that are `scale` times as large as conditions are cropped at pixels of the conditions.
    """
    height, width = settings.height_width
    unflipped = [False] * len(draws)
    rows = _places([draw.top for draw in draws], images.shape[2] // scale, height, scale, unflipped)
    flips = [draw.flip and settings.flip for draw in draws]
    columns = _places([draw.left for draw in draws], images.shape[3] // scale, width, scale, flips)
    rows, columns = moved(rows, images.device), moved(columns, images.device)
    batch = torch.arange(len(draws), device=images.device)
    # Indexing with the channel axis sliced between index tensors puts it last.
    picked = images[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2).contiguous()


def _places(shares: Sequence[float], whole: int, kept: int, scale: int, flips: Sequence[bool]) -> Shaped[Tensor, "n k"]:
    """Indices of the rows (or columns) that each image keeps, reversed where it is flipped.

    In pixels of the condition it keeps `kept` of `whole`.
    """
    offsets = torch.tensor([min(int(share * (whole - kept + 1)), whole - kept) * scale for share in shares])
    steps = torch.arange(kept * scale)
    forwards = offsets[:, None] + steps
    return torch.where(torch.tensor(flips)[:, None], forwards.flip(1), forwards)
