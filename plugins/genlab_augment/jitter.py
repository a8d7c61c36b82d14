"""Random crops of images that are a little larger."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from typing_extensions import override

from genlab import Augmentation, AugmentedSide


class Jitter(Augmentation):
    """Random crops: pairs are read larger than networks see them, as in pix2pix (Isola et al. 2017).

    Every place of the crop is equally likely. Targets that are larger than conditions are cropped at their pixels.

    Args:
        amount: by how much larger pairs are before the crop, as a share of `input.size`; 0.117 is 286 for 256.
    """

    draw_count: ClassVar[int] = 2

    def __init__(self, *, amount: Annotated[float, Ge(0), Le(4)] = 0.117) -> None:
        self.amount = amount

    @override
    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        height, width = size
        return round(height * (1 + self.amount)), round(width * (1 + self.amount))

    @override
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c i j"]:
        rows = _places(draws[:, 0], images.shape[2], side.size[0], side.scale)
        columns = _places(draws[:, 1], images.shape[3], side.size[1], side.scale)
        batch = torch.arange(len(draws), device=images.device)
        # Indexing with the channel axis sliced between index tensors puts it last.
        picked = images[batch[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        return picked.permute(0, 3, 1, 2).contiguous()


def _places(draws: Float[Tensor, " n"], whole: int, kept: int, scale: int) -> Int[Tensor, "n k"]:
    """Indices of the rows, or columns, that each image keeps: `kept` of `whole`, from a multiple of the scale on."""
    room = (whole - kept) // scale
    offsets = (draws * (room + 1)).long().clamp(max=room) * scale
    return offsets[:, None] + torch.arange(kept, device=draws.device)
