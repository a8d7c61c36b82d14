"""Scores of several images in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from genlab import Discriminator, Scored, as_scored
from genlab_pix2pix.batch_norm import batches_apart


def score_in_one_pass(
    discriminator: Discriminator, condition: Float[Tensor, "n c h w"], images: Sequence[Float[Tensor, "n d h w"]]
) -> Sequence[Scored]:
    """Score several images of one condition in one call, for a discriminator in which only batch norms see a batch."""
    count = len(images)
    with batches_apart(discriminator, count):
        scored = as_scored(discriminator(condition.repeat(count, 1, 1, 1), torch.cat(list(images))))
    maps, features = ([tensor.chunk(count) for tensor in tensors] for tensors in scored)
    return [Scored([parts[at] for parts in maps], [parts[at] for parts in features]) for at in range(count)]
