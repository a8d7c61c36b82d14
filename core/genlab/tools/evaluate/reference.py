"""The measure of a run's scores in what it was trained with: the mean target, and the content of all pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.engine.validation import pair_as_batch
from genlab.tools.evaluate.data import EvaluatedData

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


def read_reference(data: EvaluatedData, count: Callable[[], None]) -> TrainingReference:
    """Read the run's own pairs once.

    Args:
        data: with its splits; the mean is that of `train`, and the content of the one that is measured is left out.
        count: called for each pair.
    """
    mean: Tensor | None = None
    contents: set[str] = set()
    for split, pairs in data.trained.items():
        total = weight = torch.zeros(())
        for index in read_indices(pairs):
            if not (data.is_own and split == data.split):
                contents.update(_content_of(pairs, index))
            if split == "train":
                batch = pair_as_batch(pairs, index, _CPU)
                counts = torch.ones(()) if batch.mask is None else batch.mask.double()
                total, weight = total + batch.target.double() * counts, weight + counts
            count()
        if split == "train":
            mean = (total / weight.clamp(min=1)).float()
    return TrainingReference(mean, frozenset(contents))


def shared_keys(pairs: PreparedPairs, indices: Sequence[int], reference: TrainingReference) -> list[str]:
    """Keys of pairs that are equal to one of the run's own; without pairs, of an image of either side."""
    return [pairs[index].key for index in indices if reference.contents & {*_content_of(pairs, index)}]


def read_indices(pairs: PreparedPairs) -> Sequence[int]:
    """The pairs of a split that are read."""
    return evenly_spaced(len(pairs), min(len(pairs), MOST_READ))


def _content_of(pairs: PreparedPairs, index: int) -> Iterator[str]:
    """Hash of a pair as it was prepared; without pairs, of its images."""
    pair = pairs[index]
    images = [hashlib.sha256(image.cpu().contiguous().numpy().tobytes()) for image in (pair.condition, pair.target)]
    if pairs.pairs.is_paired:
        yield "".join(image.hexdigest() for image in images)
        return
    for side, image in zip(pairs.names, images, strict=True):
        yield f"{side} {image.hexdigest()}"
