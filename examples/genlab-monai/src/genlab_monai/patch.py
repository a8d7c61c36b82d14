"""MONAI's PatchGAN as a discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge, Lt
from genlab import Discriminator, Level, Scored
from jaxtyping import Float
from monai.networks import nets
from torch import Tensor

_LEAST_SIDE = 2
"""The least side of what a norm takes: over the pixels of one image, it cannot take a single one."""


class _Window(NamedTuple):
    """The shape of a convolution, and whether a norm follows it."""

    kernel_size: int
    stride: int
    padding: int
    has_norm: bool


class Patch(Discriminator):
    """`monai.networks.nets.PatchDiscriminator`: the PatchGAN of pix2pixHD (Wang et al. 2018, arXiv 1711.11585).

    Convolutions, the first of stride 2 and without a norm; then `num_layers_d` more, each with twice as many feature
    maps as the one before, all of stride 2 but the last of them; then one that gives the scores. All are padded, an
    image of `kernel_size` pixels by nearly half of that. With the defaults one score sees 70 x 70 pixels. First weights
    are those that the constructor of MONAI draws, N(0, 0.02) for convolutions.

    MONAI's network gives the features of every layer; the scores are the last of them.

    Args:
        channels: feature maps of the first layer.
        num_layers_d: how many layers there are between the first and the scores.
        kernel_size: the side of the convolutions, in pixels.
        last_conv_kernel_size: the side of the convolution that gives the scores, in pixels.
        conditional: whether it sees the condition with the image, or the image alone.
        norm: batch norm, or instance norm (without scale and shift).
        dropout: the share of features that is dropped in training, after each layer but the scores.
    """

    def __init__(
        self,
        *,
        condition_channels: int,
        image_channels: int,
        channels: Annotated[int, Ge(1)] = 64,
        num_layers_d: Annotated[int, Ge(1)] = 3,
        kernel_size: Annotated[int, Ge(2)] = 4,
        last_conv_kernel_size: Annotated[int, Ge(1)] = 4,
        conditional: bool = True,
        norm: Literal["batch", "instance"] = "batch",
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    ) -> None:
        super().__init__()
        self.conditional = conditional
        padding = _padding(kernel_size)
        self.net = nets.PatchDiscriminator(
            spatial_dims=2,
            channels=channels,
            in_channels=condition_channels + image_channels if conditional else image_channels,
            num_layers_d=num_layers_d,
            kernel_size=kernel_size,
            norm=norm,
            padding=padding,
            dropout=dropout,
            last_conv_kernel_size=last_conv_kernel_size,
        )
        windows = [
            _Window(kernel_size, 2, padding, has_norm=False),
            *[_Window(kernel_size, 2, padding, has_norm=True)] * (num_layers_d - 1),
            _Window(kernel_size, 1, padding, has_norm=True),
            _Window(last_conv_kernel_size, 1, _padding(last_conv_kernel_size), has_norm=False),
        ]
        self.feature_channels = [channels * 2**number for number in range(num_layers_d + 1)]
        self.receptive_field, self.min_size = _receptive_field(windows), _least_size(windows)

    def forward(self, condition: Float[Tensor, "n c h w"], image: Float[Tensor, "n d h w"]) -> Scored:
        seen = torch.cat([condition, image], dim=1) if self.conditional else image
        *features, scores = self.net(seen)
        return Scored([scores], features)

    def levels(self) -> Sequence[Level]:
        """The layers, in order."""
        return [Level(f"layer {number}", layer) for number, layer in enumerate(self.net, start=1)]


def _padding(kernel_size: int) -> int:
    """As much as keeps the size for an odd kernel, and one pixel short of it for an even one."""
    return (kernel_size - 1) // 2


def _receptive_field(windows: Sequence[_Window]) -> int:
    """The side of the square that one score sees."""
    field = 1
    for window in reversed(windows):
        field = (field - 1) * window.stride + window.kernel_size
    return field


def _least_size(windows: Sequence[_Window]) -> int:
    """The least side that leaves every norm two pixels or more, and the scores one."""
    size = 1
    for window in reversed(windows):
        size = max(size, _LEAST_SIDE) if window.has_norm else size
        size = max(1, (size - 1) * window.stride + window.kernel_size - 2 * window.padding)
    return size
