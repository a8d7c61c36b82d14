"""Batches for the networks, from tensors as they are stored."""

from __future__ import annotations

from jaxtyping import Shaped
from torch import Tensor

from genlab.data.sides import OneHotLabels, TensorSpec, to_network
from genlab.interfaces.batch import Batch


def to_batch(
    sides: tuple[TensorSpec, TensorSpec],
    condition: Shaped[Tensor, "n c j k"],
    target: Shaped[Tensor, "n d h w"],
    mask: Shaped[Tensor, "n 1 h w"] | None = None,
) -> Batch:
    """Convert a condition, a target and their mask as they are stored; one-hot targets are 0 where none counts."""
    batch = Batch(to_network(condition, sides[0]), to_network(target, sides[1]))
    if mask is None:
        return batch
    counted = mask != 0
    shown = batch.target * counted if isinstance(sides[1], OneHotLabels) else batch.target
    return batch._replace(target=shown, mask=counted)
