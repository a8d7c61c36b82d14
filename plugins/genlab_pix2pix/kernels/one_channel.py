"""Convolutions of stride 1 to a single channel, as one matrix product.

Libraries compute many output channels at once, whether there are as many or not. Here each pixel is multiplied by the
weights of all its windows at once, and the products are added up where they belong: a convolution of stride 1 to one
channel is the transposed one, from that channel, of the mirrored kernel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def convolve(
    x: Float[Tensor, "n c h w"], weight: Float[Tensor, "1 c i j"], padding: tuple[int, ...]
) -> Float[Tensor, "n 1 h2 w2"]:
    """`F.conv2d` of stride 1 without a bias, for a padding less than the kernel."""
    kernel = weight.shape[2:]
    mirrored = weight[0].flip(1, 2).flatten(1).t()
    # With pixels as columns x keeps its memory layout; `@` would first transpose the batch, by two copies.
    products = torch.bmm(mirrored.expand(len(x), *mirrored.shape), x.flatten(2))
    size = tuple(side + 2 * pad - reach + 1 for side, pad, reach in zip(x.shape[2:], padding, kernel, strict=True))
    around = tuple(reach - 1 - pad for pad, reach in zip(padding, kernel, strict=True))
    return F.fold(products, size, kernel, padding=around)
