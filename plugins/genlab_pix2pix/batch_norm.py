"""Batch norm of several batches in one pass."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose input may be several batches of one size, each normalized by itself, in their order.

    How many is an attribute, which `batches_apart` sets, and no argument, as it has to pass through the `forward` of
    networks, which precision and compilation replace.
    """

    batches = 1

    # `input` is what PyTorch's layers call it.
    @override
    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        normalize = super().forward
        if self.batches == 1:
            return normalize(input)
        return torch.cat([normalize(batch) for batch in input.chunk(self.batches)])


@contextmanager
def batches_apart(network: nn.Module, count: int) -> Generator[None]:
    """Let the batch norms of a network take their input for so many batches, one after the other, within the block."""
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    for norm in norms:
        norm.batches = count
    try:
        yield
    finally:
        for norm in norms:
            norm.batches = 1
