"""Transposed 4x4 convolutions of stride 2 to few channels, forward as a convolution at the lower resolution.

Each of the four phases of the output depends on 2x2 pixels of the input, so that a convolution with four times as many
output channels gives all phases, and a shuffle puts them in their places (Shi et al. 2016, arXiv 1609.07009). With few
output channels that is faster than the library's transposed convolution, whose gradients are the faster ones.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

KERNEL, STRIDE, PADDING = (4, 4), (2, 2), (1, 1)


def convolve_transposed(x: Float[Tensor, "n c h w"], weight: Float[Tensor, "c k 4 4"]) -> Float[Tensor, "n k h2 w2"]:
    """`F.conv_transpose2d` of stride 2 and padding 1, without a bias."""
    return _TransposedConvolution.apply(x, weight)


class _TransposedConvolution(torch.autograd.Function):
    @staticmethod
    @override
    def forward(x: Float[Tensor, "n c h w"], weight: Float[Tensor, "c k 4 4"]) -> Float[Tensor, "n k h2 w2"]:
        inputs, outputs = weight.shape[:2]
        # Tap 2t + r gives phase r, from the pixel t places before; a convolution counts forward, so t is reversed.
        taps = weight.view(inputs, outputs, 2, 2, 2, 2).flip(2, 4)
        phases = taps.permute(1, 3, 5, 0, 2, 4).reshape(4 * outputs, inputs, 2, 2)
        # Padded by one, so that the first row and column, and the last ones, are not the output's.
        return F.pixel_shuffle(F.conv2d(x, phases, padding=1), 2)[:, :, 1:-1, 1:-1].contiguous()

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = [*ctx.needs_input_grad, False]
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradients[0], x, weight, None, STRIDE, PADDING, (1, 1), True, (0, 0), 1, wanted
        )
        return of_x, of_weight
