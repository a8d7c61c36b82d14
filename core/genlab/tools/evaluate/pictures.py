"""Pictures of an evaluation's best, median and worst images, with maps of their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from genlab.config.schema import Evaluate
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import OneHotLabels
from genlab.data.view import view_pairs
from genlab.drawing.page import embedded_png
from genlab.engine.validation import Prediction, pair_as_batch
from genlab.tools.evaluate.evaluation import EvaluatedScore
from genlab.tools.evaluate.measured_split import MeasuredSplit

_OF_EACH = 4
"""Images of each kind: best, median and worst."""

# Black to white by way of violet and orange, of rising lightness, so that it reads in gray too.
_HEAT = np.array([(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)], np.float64)


class Place(NamedTuple):
    """An image of the sheet: its place among the pairs, and its title."""

    pair: int
    title: str


class ErrorScale(NamedTuple):
    """Legend of error maps: what they show, their colors from low to high, and what these stand for."""

    what: str
    colors: Sequence[str]
    low: str
    high: str


class Sheet(NamedTuple):
    """Rows of pictures.

    Args:
        columns: titles of a row's pictures.
        rows: by their titles, data URLs of pictures.
        errors: the scale of the error maps; None without them.
    """

    columns: Sequence[str]
    rows: Mapping[str, Sequence[str]]
    errors: ErrorScale | None


def choose_places(pairs: PreparedPairs, found: MeasuredSplit, ranked_by: EvaluatedScore | None) -> list[Place]:
    """The best, the median and the worst images by a score; without one, images spread over all."""
    if ranked_by is not None:
        return _places_by(ranked_by, found.per_image[ranked_by.name], found.indices)
    chosen = evenly_spaced(len(found.indices), min(2 * _OF_EACH, len(found.indices)))
    return [Place(found.indices[place], pairs[found.indices[place]].key) for place in chosen]


def _places_by(score: EvaluatedScore, values: Mapping[str, float], indices: Sequence[int]) -> list[Place]:
    """Places by a score's values, which are in the order of the indices."""
    images = list(zip(values.items(), indices, strict=True))
    finite = [image for image in images if math.isfinite(image[0][1])]
    ranked = sorted(finite, key=lambda item: item[0][1], reverse=score.higher_is_better)
    count = len(ranked)
    middle = max(0, count // 2 - _OF_EACH // 2)
    wanted = {
        "Best": range(min(_OF_EACH, count)),
        "Median": range(middle, min(middle + _OF_EACH, count)),
        "Worst": range(count - 1, max(count - 1 - _OF_EACH, -1), -1),
    }
    found: dict[int, Place] = {}
    for kind, ranks in wanted.items():
        for rank in ranks:
            (key, value), index = ranked[rank]
            title = f"{kind}: {key}, {score.name} {value:.4g} (rank {rank + 1} of {count})"
            found.setdefault(rank, Place(index, title))
    others = [
        Place(index, f"Not finite: {key}, {score.name} {value}")
        for (key, value), index in images
        if not math.isfinite(value)
    ]
    return [*found.values(), *others[:_OF_EACH]]


def draw_sheet(
    pairs: PreparedPairs, places: Sequence[Place], predict: Prediction, settings: Evaluate, device: torch.device
) -> Sheet:
    """Predict the images of a sheet once more, and draw them; without pairs there are no errors to draw."""
    views = view_pairs(pairs, settings)
    are_classes = isinstance(pairs.sides.target, OneHotLabels)
    shown: dict[str, list[NDArray[np.uint8]]] = {}
    errors: dict[str, NDArray[np.float64]] = {}
    for index, title in places:
        batch = pair_as_batch(pairs, index, device)
        prediction = batch.compared(predict(index, batch))[0]
        shown[title] = [views.condition.picture(batch.condition[0]), views.target.picture(prediction)]
        if pairs.pairs.is_paired:
            shown[title].append(views.target.picture(batch.target[0]))
            errors[title] = _errors(prediction, batch.target[0], are_classes=are_classes)
    errors = {title: np.nan_to_num(error, nan=1.0, posinf=1.0) for title, error in errors.items()}
    most = max((float(np.quantile(error, 0.999)) for error in errors.values()), default=0) or 1
    for title, error in errors.items():
        shown[title].append(_heat(error, 1 if are_classes else most))
    columns = ("condition", "prediction", "target", "error") if errors else ("condition", "prediction")
    rows = {title: [embedded_png(picture) for picture in pictures] for title, pictures in shown.items()}
    return Sheet(columns, rows, _scale(most, are_classes=are_classes) if errors else None)


def _errors(
    prediction: Float[Tensor, "d h w"], target: Float[Tensor, "d h w"], *, are_classes: bool
) -> NDArray[np.float64]:
    """Mean absolute error of each pixel's channels, as a share of the range; of classes 1 where it is another one."""
    if are_classes:
        counts = target.any(dim=0)
        error = (prediction.argmax(dim=0) != target.argmax(dim=0)) & counts
    else:
        error = (prediction - target).abs().mean(dim=0) / 2
    return error.double().cpu().numpy()


def _scale(most: float, *, are_classes: bool) -> ErrorScale:
    colors = [f"rgb({red:g} {green:g} {blue:g})" for red, green, blue in _HEAT]
    if are_classes:
        return ErrorScale("where the class is another one", colors[:: len(colors) - 1], "the same class", "another one")
    what = "mean absolute difference of a pixel's channels, as a share of their range"
    return ErrorScale(what, colors, "0 %", f"{100 * most:.3g} % or more")


def _heat(error: NDArray[np.float64], most: float) -> NDArray[np.uint8]:
    """Colors of errors, white from `most` on."""
    shares = np.clip(error / most, 0, 1) * (len(_HEAT) - 1)
    channels = [np.interp(shares, np.arange(len(_HEAT)), _HEAT[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
