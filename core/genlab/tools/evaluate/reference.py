"""The measure of a run's scores in what it was trained with: the mean target, and the content of all pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.engine.validation import pair_as_batch
from genlab.interfaces.dataset import Split

MOST_READ = 10_000
"""Pairs of each split that are read, spread over all."""

_CPU = torch.device("cpu")


class TrainingReference(NamedTuple):
    """The mean target of a run's training, and the content of its own pairs.

    Args:
        mean: the mean of the training's targets, of the pixels that count, as networks see them; None without training
            data.
        contents: hashes of the pairs; without pairs, of the images.
    """

    mean: Float[Tensor, "1 d h w"] | None
    contents: frozenset[str]


def read_reference(
    trained: Mapping[Split, PreparedPairs], measured: Split | None, count: Callable[[], None]
) -> TrainingReference:
    """Read the run's own pairs once.

    Args:
        trained: by split; the mean is that of `train`.
        measured: the split that is measured, if it is one of them; its contents are left out.
        count: called for each pair.
    """
    mean: Tensor | None = None
    contents: set[str] = set()
    for split, pairs in trained.items():
        total = weight = torch.zeros(())
        for index in read_indices(pairs):
            if split != measured:
                contents.update(content_of(pairs, index))
            if split == "train":
                batch = pair_as_batch(pairs, index, _CPU)
                counts = torch.ones(()) if batch.mask is None else batch.mask.double()
                total, weight = total + batch.target.double() * counts, weight + counts
            count()
        if split == "train":
            mean = (total / weight.clamp(min=1)).float()
    return TrainingReference(mean, frozenset(contents))


def read_indices(pairs: PreparedPairs) -> Sequence[int]:
    """The pairs of a split that are read."""
    return evenly_spaced(len(pairs), min(len(pairs), MOST_READ))


def content_of(pairs: PreparedPairs, index: int) -> Iterator[str]:
    """Hash of a pair as it was prepared; without pairs, of its images."""
    pair = pairs[index]
    images = [hashlib.sha256(image.cpu().contiguous().numpy().tobytes()) for image in (pair.condition, pair.target)]
    if pairs.pairs.is_paired:
        yield "".join(image.hexdigest() for image in images)
        return
    for side, image in zip(pairs.names, images, strict=True):
        yield f"{side} {image.hexdigest()}"
