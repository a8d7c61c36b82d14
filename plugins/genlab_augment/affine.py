"""Small random affine maps."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le, Lt
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from genlab import Augmentation, AugmentedSide


class Affine(Augmentation):
    """Pairs turned, scaled and shifted a little, around their middle; each amount is drawn evenly from its range.

    Values are interpolated between four pixels, and labels take the nearest one's class. What comes in from beyond a
    border is the image mirrored there.

    Args:
        rotation: by how many degrees at most, either way.
        scale: by which share at most pairs become larger or smaller.
        shift: by which share of height and width at most they are moved, either way.
    """

    draw_count: ClassVar[int] = 4

    def __init__(
        self,
        *,
        rotation: Annotated[float, Ge(0), Le(180)] = 5.0,
        scale: Annotated[float, Ge(0), Lt(1)] = 0.05,
        shift: Annotated[float, Ge(0), Le(1)] = 0.05,
    ) -> None:
        self.rotation = rotation
        self.scale = scale
        self.shift = shift

    @override
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c h w"]:
        grid = self._sources(draws, side.size)
        mode = "nearest" if side.is_labels else "bilinear"
        moved = F.grid_sample(images.float(), grid, mode=mode, padding_mode="reflection", align_corners=False)
        return moved.to(images.dtype) if images.is_floating_point() else moved.round().to(images.dtype)

    def _sources(self, draws: Float[Tensor, "n 4"], size: tuple[int, int]) -> Float[Tensor, "n h w 2"]:
        """The place (x, y) that each pixel comes from: -1 and 1 are the borders of the image.

        Written out number by number, as a product of matrices may round otherwise in batches of another size.
        """
        turn, grow, down, across = (draws * 2 - 1).float()[:, :, None, None].unbind(1)
        angle, factor = math.radians(self.rotation) * turn, 1 + self.scale * grow
        height, width = size
        y = _centers(height, draws.device)[:, None] - 2 * self.shift * down
        x = _centers(width, draws.device) - 2 * self.shift * across
        sine, cosine, aspect = angle.sin() / factor, angle.cos() / factor, height / width
        return torch.stack([cosine * x + sine * aspect * y, cosine * y - sine / aspect * x], dim=-1)


def _centers(count: int, device: torch.device) -> Float[Tensor, " k"]:
    """Centers of pixels on the way from -1 to 1."""
    return (torch.arange(count, device=device) * 2 + 1) / count - 1
