"""The PatchGAN discriminator, which judges every patch of an image by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab import Discriminator, Level
from genlab_pix2pix.batch_norm import batches_apart
from genlab_pix2pix.blocks import LEAK, Norm, block, draw_weights, normalization, width
from genlab_pix2pix.kernels.convolutions import Convolution, replace_by_plain


class _Window(NamedTuple):
    """The shape of a convolution."""

    kernel_size: int
    stride: int
    padding: int


_POINT = _Window(1, 1, 0)
_HALVE = _Window(4, 2, 1)
_SLIDE = _Window(4, 1, 1)

_WINDOWS = {
    1: [_POINT] * 3,
    16: [_HALVE] * 1 + [_SLIDE] * 2,
    34: [_HALVE] * 2 + [_SLIDE] * 2,
    70: [_HALVE] * 3 + [_SLIDE] * 2,
    142: [_HALVE] * 4 + [_SLIDE] * 2,
    286: [_HALVE] * 5 + [_SLIDE] * 2,
}


class PatchGAN(Discriminator):
    """Convolutions that give one score for each patch of the image (Isola et al. 2017, sections 3.2.2 and 6.1.2).

    Every layer is a convolution, norm and LeakyReLU 0.2; the first has no norm, and the last gives the score alone.
    Convolutions are 4x4, at first of stride 2, the last two of stride 1; for a receptive field of 1 they are 1x1.
    At 256 x 256 a receptive field of 70 gives 30 x 30 scores.

    Only the first and the last convolution have a bias, as the norm layers shift (of the 1x1 ones only the first);
    with `norm = "none"` all have.

    Args:
        receptive_field: the side in pixels of the patch that one score sees.
        conditional: whether it sees the condition with the image, or the image alone.
        channels: feature maps of the first layer; they double with each layer, up to 8 times as many.
        norm: batch norm, instance norm (with scale and shift), or none.
    """

    def __init__(
        self,
        *,
        condition_channels: int,
        image_channels: int,
        receptive_field: Literal[1, 16, 34, 70, 142, 286] = 70,
        conditional: bool = True,
        channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        self.conditional = conditional
        self._is_plain = False
        self.receptive_field = receptive_field
        seen = condition_channels + image_channels if conditional else image_channels
        windows = _WINDOWS[receptive_field]
        self.min_size = _least_size(windows)
        last = len(windows)
        widths = [seen, *(width(channels, number) for number in range(1, last)), 1]

        self.layers = nn.ModuleList()
        for number, (window, (fan_in, fan_out)) in enumerate(zip(windows, pairwise(widths), strict=True), start=1):
            has_bias = norm == "none" or number == 1 or (number == last and window != _POINT)
            self.layers.append(
                block(
                    conv=Convolution(fan_in, fan_out, *window, bias=has_bias),
                    norm=None if number in (1, last) else normalization(norm, fan_out),
                    activation=None if number == last else nn.LeakyReLU(LEAK),
                )
            )

    @override
    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Float[Tensor, "n 1 i j"]:
        features = torch.cat([condition, image], dim=1) if self.conditional else image
        for layer in self.layers:
            features = layer(features)
        return features

    @override
    def score_each(
        self, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
    ) -> Sequence[Float[Tensor, "n 1 i j"]]:
        """The scores of several images of one condition, in one pass.

        A class that derives from this one may have layers that look at a whole batch, or at each call: there it is a
        call for each image.
        """
        if type(self) is not PatchGAN or self._is_plain:
            return super().score_each(condition, images)
        with batches_apart(self, len(images)):
            scores = self(condition.repeat(len(images), 1, 1, 1), torch.cat(list(images)))
        return scores.chunk(len(images))

    @override
    def make_plain(self) -> None:
        self._is_plain = True
        replace_by_plain(self)

    @override
    def levels(self) -> Sequence[Level]:
        """The layers, in order."""
        return [Level(f"layer {number}", layer) for number, layer in enumerate(self.layers, start=1)]

    @override
    def initialize(self, name: str, parameter: Tensor, rng: torch.Generator) -> None:
        draw_weights(name, parameter, rng)


def _least_size(windows: Sequence[_Window]) -> int:
    """The side of an image that gives a single score."""
    size = 1
    for window in reversed(windows):
        size = (size - 1) * window.stride + window.kernel_size - 2 * window.padding
    return size
