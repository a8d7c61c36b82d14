"""Batch norm of several batches in one pass."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose input may be several batches of one size, each normalised by itself, in their order.

    How many is an attribute, which `batches_apart` sets, and no argument: it has to pass through a network's `forward`,
    which precision and compilation replace and a class that derives from the network may override.
    """

    batches = 1

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        normalise = super().forward
        if self.batches == 1:
            return normalise(x)
        return torch.cat([normalise(batch) for batch in x.chunk(self.batches)])


@contextmanager
def batches_apart(network: nn.Module, count: int) -> Generator[None]:
    """In this block the batch norms of a network take what they are given for so many batches, one after the other."""
    norms = [module for module in network.modules() if isinstance(module, BatchNorm)]
    for norm in norms:
        norm.batches = count
    try:
        yield
    finally:
        for norm in norms:
            norm.batches = 1


def can_take_batches_apart(network: nn.Module) -> bool:
    """Whether the batch norms of a network are all of the kind that can."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    return all(isinstance(norm, BatchNorm) for norm in norms)
