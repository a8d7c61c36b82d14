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
    """Predict an image tile by tile, and blend them where they overlap.

    Near an edge within the image, a tile's prediction sees padding in place of neighbors, so it has no weight in the
    quarter of the overlap that is next to the edge; its weight then rises linearly over the next half.

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
    seen = [slice(start, start + size) for start in starts]
    predicted = [slice(int(span.start * factor), int(span.stop * factor)) for span in seen]
    total = torch.zeros(int(length * factor), dtype=torch.float64)
    weights = [_weights(span, len(total), int(tiles.overlap * factor)) for span in predicted]
    for span, part in zip(predicted, weights, strict=True):
        total[span] += part
    shares = (part / total[span] for span, part in zip(predicted, weights, strict=True))
    return [_Span(*places) for places in zip(seen, predicted, shares, strict=True)]


def _weights(span: slice, length: int, overlap: int) -> Float64[Tensor, " n"]:
    """Weights from 0 to 1 of a tile's places, by their distance from its ends that are not the image's.

    Of the tiles at a place, one has an end no nearer than half the overlap, so that not all weights are 0.
    """
    place = torch.arange(span.start, span.stop, dtype=torch.float64) + 0.5
    distance = torch.full_like(place, float("inf"))
    if span.start > 0:
        distance = place - span.start
    if span.stop < length:
        distance = torch.minimum(distance, span.stop - place)
    margin = overlap / 4
    return ((distance - margin) / max(overlap - 2 * margin, 0.5)).clamp(0, 1)
