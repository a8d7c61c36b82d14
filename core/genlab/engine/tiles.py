"""Predictions of large images in tiles that overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from genlab.engine.inference import ONE


class Tiles(NamedTuple):
    """Square tiles that an image is divided into: those that a run can have come from `choose_tiles`.

    Args:
        size: height and width in pixels, a multiple of the networks'.
        overlap: how many pixels neighbors have in common at least, a multiple likewise.
    """

    size: int
    overlap: int


def predict_tiles(
    predict: Callable[[Tensor], Tensor], image: Float[Tensor, "n c h w"], tiles: Tiles, factor: Fraction = ONE
) -> Float[Tensor, "n d i j"]:
    """Predict an image tile by tile, each with a weight that falls off linearly over the overlap toward its edges.

    Tiles lie on multiples of the networks', so that strided layers see the same grid as in the whole image. The last
    ones of a row or column end with the image. An image that is no larger than a tile is predicted whole.

    Args:
        predict: a predictor, or its way back.
        image: what to predict from; its height and width are multiples of the networks'.
        tiles: their size.
        factor: how many times as high and wide as the image the prediction is.
    """
    height, width = image.shape[-2:]
    columns = _spans(width, tiles, factor)
    blended = None
    for row in _spans(height, tiles, factor):
        for column in columns:
            patch = predict(image[..., row.seen, column.seen])
            if blended is None:
                blended = patch.new_zeros(*patch.shape[:2], int(height * factor), int(width * factor))
            weights = torch.outer(row.weights, column.weights).to(patch)
            blended[..., row.predicted, column.predicted] += patch * weights
    assert blended is not None, "an image has pixels"
    return blended


class _Span(NamedTuple):
    """Place of a tile in one dimension: in the image, in the prediction, and its share of each value there."""

    seen: slice
    predicted: slice
    weights: Float64[Tensor, " n"]


def _spans(length: int, tiles: Tiles, factor: Fraction) -> Sequence[_Span]:
    size = min(tiles.size, length)
    starts = [*range(0, length - size, tiles.size - tiles.overlap), length - size]
    weights = _falloff(int(size * factor), int(tiles.overlap * factor))
    predicted = [slice(int(start * factor), int((start + size) * factor)) for start in starts]
    total = torch.zeros(int(length * factor), dtype=torch.float64)
    for span in predicted:
        total[span] += weights
    seen = (slice(start, start + size) for start in starts)
    return [_Span(*places, weights / total[places[1]]) for places in zip(seen, predicted, strict=True)]


def _falloff(size: int, overlap: int) -> Float64[Tensor, " n"]:
    """Weights that rise linearly from both ends, over the overlap; all the same without one."""
    distance = torch.arange(size, dtype=torch.float64) + 0.5
    return torch.minimum(distance, size - distance).clamp(max=max(overlap, 0.5))
