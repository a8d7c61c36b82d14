"""The multi-scale discriminator of pix2pixHD: PatchGANs that see the image at several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge, Le
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Discriminator, Level, Scored
from genlab_pix2pix.blocks import Norm
from genlab_pix2pix.kernels.convolutions import use_plain_convolutions
from genlab_pix2pix.one_pass import score_in_one_pass
from genlab_pix2pix.patches import (
    ReceptiveField,
    draw_patch_weights,
    judge_patches,
    least_patch,
    patch_layers,
    patch_widths,
)


class Multiscale(Discriminator):
    """PatchGANs that see the image at full size, half, quarter and so on (Wang et al. 2018, 1711.11585, section 3.2).

    All have the layers of `patchgan`, and weights of their own. What they see is halved by average pooling, 3x3 of
    stride 2. Features are those of `patchgan`, of the full size first.

    Args:
        scales: how many sizes there are; the paper has 3.
        receptive_field: the side in pixels of the patch that one score sees, at each size.
        conditional: whether it sees the condition with the image, or the image alone.
        channels: feature maps of the first layer; they double with each layer, up to 8 times as many.
        norm: batch norm, instance norm (with scale and shift), or none.
        spectral_norm: whether each convolution's weights are divided by their largest singular value (Miyato et al.
            2018, arXiv 1802.05957, section 2.1), of which each pass in training improves the estimate by a step.
    """

    def __init__(
        self,
        *,
        condition_channels: int,
        image_channels: int,
        scales: Annotated[int, Ge(1), Le(8)] = 3,
        receptive_field: ReceptiveField = 70,
        conditional: bool = True,
        channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "instance",
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        self.conditional = conditional
        self.receptive_field, self.min_size = receptive_field, least_patch(receptive_field, norm)
        for _ in range(scales - 1):
            self.receptive_field, self.min_size = 2 * self.receptive_field + 1, 2 * self.min_size - 1
        self.feature_channels = patch_widths(receptive_field, channels) * scales
        self._scores_in_one_pass = type(self) is Multiscale and not spectral_norm
        seen = condition_channels + image_channels if conditional else image_channels
        self.scales = nn.ModuleList(
            patch_layers(seen, receptive_field, channels, norm, spectral_norm=spectral_norm) for _ in range(scales)
        )

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Scored:
        seen = torch.cat([condition, image], dim=1) if self.conditional else image
        maps: list[Tensor] = []
        features: list[Tensor] = []
        for number, layers in enumerate(self.scales):
            if number > 0:
                seen = F.avg_pool2d(seen, 3, stride=2, padding=1, count_include_pad=False)
            scored = judge_patches(layers, seen)
            maps += scored.maps
            features += scored.features
        return Scored(maps, features)

    @override
    def score_each(
        self, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
    ) -> Sequence[Scored]:
        """The scores of several images of one condition, in one pass where no layer looks at each call."""
        if self._scores_in_one_pass:
            return score_in_one_pass(self, condition, images)
        return [self(condition, image) for image in images]

    @override
    def make_plain(self) -> None:
        self._scores_in_one_pass = False
        use_plain_convolutions(self)

    @override
    def levels(self) -> Sequence[Level]:
        """The layers of each size, in order."""
        return [
            Level(f"scale {scale} layer {number}", layer)
            for scale, layers in enumerate(self.scales, start=1)
            for number, layer in enumerate(layers.children(), start=1)
        ]

    @override
    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        draw_patch_weights(self, name, parameter, rng)
