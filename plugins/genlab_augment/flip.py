"""Mirror images."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from typing_extensions import override

from genlab import Augmentation, AugmentedSide


class Flip(Augmentation):
    """Half of the pairs mirrored, left to right; not for pictures whose sides mean something, such as text."""

    draw_count: ClassVar[int] = 1

    @override
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c h w"]:
        return torch.where(draws[:, :, None, None] < 0.5, images.flip(3), images)
