"""Layers of a PatchGAN, which judge every patch of an image by itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from genlab import Scored
from genlab_pix2pix.blocks import LEAK, Norm, block, draw_weights, normalization, width
from genlab_pix2pix.kernels.convolutions import Convolution

ReceptiveField = Literal[1, 16, 34, 70, 142, 286]


class _Window(NamedTuple):
    """The shape of a convolution."""

    kernel_size: int
    stride: int
    padding: int


_POINT = _Window(1, 1, 0)
_HALVE = _Window(4, 2, 1)
_SLIDE = _Window(4, 1, 1)

_WINDOWS: dict[ReceptiveField, Sequence[_Window]] = {
    1: [_POINT] * 3,
    16: [_HALVE] * 1 + [_SLIDE] * 2,
    34: [_HALVE] * 2 + [_SLIDE] * 2,
    70: [_HALVE] * 3 + [_SLIDE] * 2,
    142: [_HALVE] * 4 + [_SLIDE] * 2,
    286: [_HALVE] * 5 + [_SLIDE] * 2,
}

# As many steps of the power method as PyTorch takes for the weights that a constructor makes.
_POWER_STEPS = 15


def patch_widths(receptive_field: ReceptiveField, channels: int) -> list[int]:
    """Feature maps of each layer but the last, which gives scores."""
    return [width(channels, number) for number in range(1, len(_WINDOWS[receptive_field]))]


def patch_layers(
    seen: int, receptive_field: ReceptiveField, channels: int, norm: Norm, *, spectral_norm: bool
) -> nn.ModuleList:
    """The layers, in order: convolution, norm and LeakyReLU; the first has no norm, and the last gives the score alone.

    Args:
        seen: channels of what they see.
        receptive_field: side of the patch that a score sees.
        channels: feature maps of the first.
        norm: the norm.
        spectral_norm: whether the weights of all convolutions are divided by their largest singular value.
    """
    windows = _WINDOWS[receptive_field]
    last = len(windows)
    layers = nn.ModuleList()
    fans = pairwise([seen, *patch_widths(receptive_field, channels), 1])
    for number, (window, (fan_in, fan_out)) in enumerate(zip(windows, fans, strict=True), start=1):
        has_bias = norm == "none" or number == 1 or (number == last and window != _POINT)
        conv = Convolution(fan_in, fan_out, *window, bias=has_bias)
        layers.append(
            block(
                conv=parametrizations.spectral_norm(conv) if spectral_norm else conv,
                norm=None if number in (1, last) else normalization(norm, fan_out),
                activation=None if number == last else nn.LeakyReLU(LEAK),
            )
        )
    return layers


def judge_patches(layers: nn.Module, seen: Float[Tensor, "n c h w"]) -> Scored:
    """One map of scores, and the features of all layers before."""
    *before, last = layers.children()
    features = [seen]
    for layer in before:
        features.append(layer(features[-1]))
    return Scored([last(features[-1])], features[1:])


def least_patch(receptive_field: ReceptiveField, norm: Norm) -> int:
    """The side of an image that gives a single score, or of one that a norm can take in training."""
    size = 1
    for window in reversed(_WINDOWS[receptive_field]):
        size = (size - 1) * window.stride + window.kernel_size - 2 * window.padding
    return size if norm == "none" else max(size, 2)


def draw_patch_weights(network: nn.Module, name: str, parameter: Tensor, rng: torch.Generator) -> None:
    """Initialize one parameter in place, and the estimate of its spectral norm if it has one."""
    draw_weights(name, parameter, rng)
    owner, _, original = name.partition(".parametrizations.weight.")
    if original:
        estimate = network.get_submodule(f"{owner}.parametrizations.weight.0")
        for _ in range(_POWER_STEPS):  # it takes one each time that it computes in training mode
            estimate(parameter)
