"""The PatchGAN discriminator, which judges every patch of an image by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from annotated_types import Ge
from jaxtyping import Float
from torch import Tensor
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


class PatchGAN(Discriminator):
    """Convolutions that give one score for each patch of the image (Isola et al. 2017, sections 3.2.2 and 6.1.2).

    Every layer is a convolution, norm and LeakyReLU 0.2; the first has no norm, and the last gives the score alone.
    Convolutions are 4x4, at first of stride 2, the last two of stride 1; for a receptive field of 1 they are 1x1.
    At 256 x 256 a receptive field of 70 gives 30 x 30 scores. Its features are those of all layers but the last.

    Only the first and the last convolution have a bias, as the norm layers shift (of the 1x1 ones only the first);
    with `norm = "none"` all have.

    Args:
        receptive_field: the side in pixels of the patch that one score sees.
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
        receptive_field: ReceptiveField = 70,
        conditional: bool = True,
        channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        self.conditional = conditional
        self.receptive_field = receptive_field
        self.min_size = least_patch(receptive_field, norm)
        self.feature_channels = patch_widths(receptive_field, channels)
        self._scores_in_one_pass = type(self) is PatchGAN and not spectral_norm
        seen = condition_channels + image_channels if conditional else image_channels
        self.layers = patch_layers(seen, receptive_field, channels, norm, spectral_norm=spectral_norm)

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Scored:
        return judge_patches(self.layers, torch.cat([condition, image], dim=1) if self.conditional else image)

    @override
    def score_each(
        self, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
    ) -> Sequence[Scored]:
        """The scores of several images of one condition, in one pass.

        A class that derives from this one may have layers that look at a whole batch, and spectral norms look at each
        call: there it is a call for each image.
        """
        if self._scores_in_one_pass:
            return score_in_one_pass(self, condition, images)
        return [self(condition, image) for image in images]

    @override
    def make_plain(self) -> None:
        self._scores_in_one_pass = False
        use_plain_convolutions(self)

    @override
    def levels(self) -> Sequence[Level]:
        """The layers, in order."""
        return [Level(f"layer {number}", layer) for number, layer in enumerate(self.layers, start=1)]

    @override
    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        draw_patch_weights(self, name, parameter, rng)
