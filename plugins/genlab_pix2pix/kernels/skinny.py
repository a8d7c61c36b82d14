"""Convolutions of few pixels as matrix products, in the forms that read and write large weights once.

With few pixels a convolution is bound by the memory traffic of its weights, which are much larger than its images.
Libraries reorder weights before they use them; a product of a few rows with a large matrix need not. The forms here
were chosen by measurement: see "What was tried on a CPU" in benchmarks/README.md.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

_BLOCKS = 16
_ROWS = 16


def convolve(
    x: Float[Tensor, "n c h w"], weight: Float[Tensor, "k c i j"], stride: tuple[int, ...], padding: tuple[int, ...]
) -> Float[Tensor, "n k h2 w2"]:
    """`F.conv2d` without a bias: each pixel's window as a row, times the weights (Chellapilla et al. 2006)."""
    outputs, _, *kernel = weight.shape
    height, width = (
        (side + 2 * pad - size) // step + 1
        for side, pad, size, step in zip(x.shape[2:], padding, kernel, stride, strict=True)
    )
    windows = F.unfold(x, tuple(kernel), padding=padding, stride=stride).transpose(1, 2).flatten(0, 1)
    pixels = _TransposedProduct.apply(windows, weight.flatten(1))
    return pixels.view(x.shape[0], height, width, outputs).permute(0, 3, 1, 2).contiguous()


def convolve_transposed(
    x: Float[Tensor, "n c h w"], weight: Float[Tensor, "c k i j"], stride: tuple[int, ...], padding: tuple[int, ...]
) -> Float[Tensor, "n k h2 w2"]:
    """`F.conv_transpose2d` without a bias: each pixel times the weights, and its window added where it belongs."""
    kernel = weight.shape[2:]
    pixels = x.permute(0, 2, 3, 1).flatten(0, 2)
    windows = _Product.apply(pixels, weight.flatten(1)).view(x.shape[0], x.shape[2] * x.shape[3], -1)
    size = tuple(
        (side - 1) * step - 2 * pad + reach
        for side, step, pad, reach in zip(x.shape[2:], stride, padding, kernel, strict=True)
    )
    return F.fold(windows.transpose(1, 2), size, kernel, padding=padding, stride=stride)


class _OfTwo(torch.autograd.Function):
    """A function whose gradients need both of its arguments."""

    @staticmethod
    @override
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)


class _Product(_OfTwo):
    """`rows @ matrix`."""

    @staticmethod
    @override
    def forward(rows: Float[Tensor, "n a"], matrix: Float[Tensor, "a b"]) -> Float[Tensor, "n b"]:
        return _rows_times(rows, matrix)

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        rows, matrix = ctx.saved_tensors
        (gradient,) = gradients
        of_rows, of_matrix = ctx.needs_input_grad
        return (
            _rows_times_transposed(gradient, matrix) if of_rows else None,
            _outer(rows, gradient) if of_matrix else None,
        )


class _TransposedProduct(_OfTwo):
    """`rows @ matrix.T`."""

    @staticmethod
    @override
    def forward(rows: Float[Tensor, "n b"], matrix: Float[Tensor, "a b"]) -> Float[Tensor, "n a"]:
        return _rows_times_transposed(rows, matrix)

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        rows, matrix = ctx.saved_tensors
        (gradient,) = gradients
        of_rows, of_matrix = ctx.needs_input_grad
        return (
            _rows_times(gradient, matrix) if of_rows else None,
            _outer(gradient, rows) if of_matrix else None,
        )


def _rows_times(rows: Float[Tensor, "n a"], matrix: Float[Tensor, "a b"]) -> Float[Tensor, "n b"]:
    """`rows @ matrix`, for blocks of the matrix's columns: the library's own way reorders the matrix first."""
    blocks = gcd(matrix.shape[1], _BLOCKS)
    columns = matrix.view(matrix.shape[0], blocks, -1).transpose(0, 1)
    return torch.bmm(rows.expand(blocks, *rows.shape), columns).transpose(0, 1).flatten(1)


def _rows_times_transposed(rows: Float[Tensor, "n b"], matrix: Float[Tensor, "a b"]) -> Float[Tensor, "n a"]:
    """`rows @ matrix.T`, with the large factor first, which is the faster order."""
    return (matrix @ rows.t()).t()


def _outer(a: Float[Tensor, "n a"], b: Float[Tensor, "n b"]) -> Float[Tensor, "a b"]:
    """`a.T @ b`, a few rows of the result at a time, as many rows of a power of two evict each other from caches."""
    rows = a.shape[1]
    blocks = rows // _ROWS if rows % _ROWS == 0 else 1
    parts = a.t().reshape(blocks, -1, a.shape[0])
    return torch.bmm(parts, b.expand(blocks, *b.shape)).view(rows, b.shape[1])
