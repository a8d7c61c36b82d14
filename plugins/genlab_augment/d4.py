"""The eight symmetries of a square."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor
from typing_extensions import override

from genlab import Augmentation, AugmentedSide


class D4(Augmentation):
    """Turns by quarters, each mirrored or not: one of the eight symmetries of the square (the dihedral group D4).

    All are equally likely, and no pixel is resampled. For pictures that have no up and down, such as those of
    microscopes and satellites; it takes square ones.
    """

    draw_count: ClassVar[int] = 1

    @override
    def input_size(self, size: tuple[int, int]) -> tuple[int, int]:
        if size[0] != size[1]:
            raise ValueError(f"it turns square images, and these are {size[0]} x {size[1]}; flip takes any size")
        return size

    @override
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c h w"]:
        symmetry = (draws * 8).long()
        images = torch.where(_has(symmetry, 1), images.flip(3), images)
        images = torch.where(_has(symmetry, 2), images.flip(2), images)
        return torch.where(_has(symmetry, 4), images.transpose(2, 3), images)


def _has(symmetry: Shaped[Tensor, "n 1"], bit: int) -> Bool[Tensor, "n 1 1 1"]:
    return (symmetry & bit).bool()[:, :, None, None]
