"""Layers of the U-Net and the PatchGAN, and their initial weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from genlab_pix2pix.batch_norm import BatchNorm
from genlab_pix2pix.time_embedding import TimeModulation

Norm = Literal["batch", "instance", "none"]

LEAK = 0.2
SPREAD = 0.02

# Instance norm with its own scale and shift has the parameters of batch norm, and at batch 1 computes the same.
_NORMS: dict[Norm, Callable[[int], nn.Module | None]] = {
    "batch": BatchNorm,
    "instance": partial(nn.InstanceNorm2d, affine=True),
    "none": lambda _: None,
}


def normalization(norm: Norm, channels: int) -> nn.Module | None:
    """The layer that normalizes each of `channels` feature maps, or None for `none`."""
    return _NORMS[norm](channels)


class Block(nn.Sequential):
    """A chain of layers, of which those that modulate features see the embedding of a time."""

    # `input` is what PyTorch's layers call it.
    @override
    def forward(
        self, input: Float[Tensor, "n c h w"], embedded: Float[Tensor, "n e"] | None = None
    ) -> Float[Tensor, "n d i j"]:
        features = input
        for layer in self:
            features = layer(features, embedded) if isinstance(layer, TimeModulation) else layer(features)
        return features


def block(**layers: nn.Module | None) -> Block:
    """A chain of named layers in the order given; those that are None are left out."""
    return Block(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))


def width(channels: int, level: int) -> int:
    """Feature maps after `level` convolutions, counted from 1: they double each time, up to 8 times the first."""
    return channels * min(2 ** (level - 1), 8)


def draw_weights(name: str, parameter: Tensor, rng: torch.Generator) -> None:
    """Initialize one parameter in place (section 6.2 of the pix2pix paper; arXiv 1611.07004).

    Weights of convolutions come from N(0, 0.02), scales of norm layers from N(1, 0.02); biases start at 0. Linear
    layers, of a time's embedding, start as in Glorot and Bengio 2010, equation 16.
    """
    if name.endswith("bias"):
        nn.init.zeros_(parameter)
    elif parameter.ndim == 2:
        nn.init.xavier_uniform_(parameter, generator=rng)
    else:
        is_scale = parameter.ndim == 1
        nn.init.normal_(parameter, mean=1.0 if is_scale else 0.0, std=SPREAD, generator=rng)
