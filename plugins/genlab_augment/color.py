"""Random brightness and contrast of one side."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Le
from jaxtyping import Float, Shaped
from torch import Tensor
from typing_extensions import override

from genlab import Augmentation, AugmentedSide

_GRAY = 255 / 2


class ColorJitter(Augmentation):
    """Brightness and contrast of one side changed, the same for all of its channels; the other side stays.

    For networks that are to ignore how a condition is exposed. Values stay in the range of their side, or in that of
    their image where it is wider. It takes images, not label maps.

    Args:
        side: the side that changes; a target that changes is one that its condition does not tell.
        brightness: what is added at most, either way, as a share of the range from black to full intensity.
        contrast: by which share at most differences from the middle of the range grow or shrink.
    """

    draw_count: ClassVar[int] = 2

    def __init__(
        self,
        *,
        side: Literal["condition", "target"] = "condition",
        brightness: Annotated[float, Ge(0), Le(1)] = 0.1,
        contrast: Annotated[float, Ge(0), Le(1)] = 0.1,
    ) -> None:
        self.side = side
        self.brightness = brightness
        self.contrast = contrast

    @override
    def apply(
        self, images: Shaped[Tensor, "n c h w"], side: AugmentedSide, draws: Float[Tensor, "n k"]
    ) -> Shaped[Tensor, "n c h w"]:
        if side.name != self.side:
            return images
        if side.is_labels:
            raise ValueError(f"`side`: it changes the values of images, and the {side.name} is a label map")
        brighter, steeper = (draws * 2 - 1).float()[:, :, None, None, None].unbind(1)
        values = images.float()
        changed = (values - _GRAY) * (1 + self.contrast * steeper) + _GRAY + 255 * self.brightness * brighter
        low, high = (extreme(values, dim=(1, 2, 3), keepdim=True) for extreme in (torch.amin, torch.amax))
        changed = changed.clamp(low.clamp(max=0), high.clamp(min=255))
        return changed if images.is_floating_point() else changed.round().to(images.dtype)
