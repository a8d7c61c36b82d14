"""Validation: metrics, and preview pictures."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

import numpy as np
import torch
from torch import Tensor

from genlab.data.network_batch import to_batch
from genlab.data.order import evenly_spaced
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import to_network
from genlab.data.view import view_pairs
from genlab.engine.experiment import Experiment
from genlab.engine.inference import Predictor
from genlab.engine.processes import Processes
from genlab.errors import TrainingError
from genlab.interfaces.batch import Batch
from genlab.interfaces.listener import Pictures
from genlab.interfaces.metric import Metric

_log = logging.getLogger("genlab")

_MOST = 1.001
"""Largest magnitude of a prediction in [-1, 1] with its rounding."""

T = TypeVar("T")


class Interrupted(Exception):  # noqa: N818  (not an error: the user asked to stop)
    """Raised to abandon a validation when the run is asked to stop."""


class Measured(NamedTuple):
    """Metrics by name, and for metrics that are means over images each image's value by its key."""

    scores: dict[str, float]
    per_image: dict[str, dict[str, float]]


Prediction = Callable[[int, Batch], Tensor]
"""Makes the prediction that is measured of a pair, by its index and as a batch."""


def validate(experiment: Experiment, predictor: Predictor, stopping: Callable[[], bool]) -> Measured:
    """Compute each metric over validation pairs, over as many training pairs, and the difference.

    Metrics that need pairs are not computed over training data that have none. Images of which no pixel counts are left
    out.

    Raises:
        Interrupted: as soon as `stopping` says so.
    """
    if not experiment.metrics:
        return Measured({}, {})
    most = min(experiment.settings.evaluate.pairs, len(experiment.validation))
    processes = experiment.processes

    def indices(pairs: PreparedPairs) -> Iterator[int]:
        for index in processes.rounds(evenly_spaced(len(pairs), most)):
            if stopping():
                raise Interrupted
            if index is not None:
                yield index

    def predict(_index: int, batch: Batch) -> Tensor:
        return predictor(batch.condition)

    validation, train = (
        measure(experiment.metrics, predict, pairs, indices(pairs), experiment.device, processes)
        for pairs in (experiment.validation, experiment.unaugmented)
    )
    gap = {name: validation.scores[name] - value for name, value in train.scores.items()}
    return Measured(
        {**_under("validation", validation.scores), **_under("train", train.scores), **_under("gap", gap)},
        {**_under("validation", validation.per_image), **_under("train", train.per_image)},
    )


def _under(side: str, values: Mapping[str, T]) -> dict[str, T]:
    return {f"{side}/{name}": value for name, value in values.items()}


def try_metrics(metrics: Mapping[str, Metric], pairs: PreparedPairs) -> None:
    """Measure one pair with its target as the prediction, to find unusable metrics before training.

    Metrics that compare sets are shown it twice, as a set of one has no spread.
    """
    batch = pair_as_batch(pairs, 0, torch.device("cpu"))
    for name, metric in metrics.items():
        keys = [pairs[0].key] * (2 if metric.compares_sets else 1)
        metric.reset()
        for _ in keys:
            _add(metric, batch, batch.target)
        _scores(name, metric)
        _per_image(name, metric, keys)
        metric.reset()


def measure(
    metrics: Mapping[str, Metric],
    predict: Prediction,
    pairs: PreparedPairs,
    indices: Iterable[int],
    device: torch.device,
    processes: Processes | None = None,
) -> Measured:
    """Compute each metric over some pairs.

    Metrics that need pairs are left out where there are none, and images of which no pixel counts.

    Args:
        metrics: by name; their state is of these pairs afterwards.
        predict: makes the predictions.
        pairs: what is measured on.
        indices: which of them.
        device: where to measure.
        processes: those that each measure a share of the pairs, in their order.
    """
    metrics = {name: metric for name, metric in metrics.items() if pairs.pairs.is_paired or not metric.needs_pairs}
    for metric in metrics.values():
        metric.reset()
    if not metrics:
        return Measured({}, {})
    keys: list[str] = []
    for index in indices:
        batch = pair_as_batch(pairs, index, device)
        if batch.mask is not None and not batch.mask.any():
            continue
        keys.append(pairs[index].key)
        prediction = predict(index, batch)
        for metric in metrics.values():
            _add(metric, batch, prediction)
    if processes is None or processes.is_alone:
        return _measured(metrics, keys)
    keys = _merge_others(metrics, keys, processes, device)
    return processes.of_first(_measured(metrics, keys) if processes.is_first else Measured({}, {}))


def _merge_others(
    metrics: Mapping[str, Metric], keys: list[str], processes: Processes, device: torch.device
) -> list[str]:
    """Merge the other processes' metrics into those of the first one; returns the keys of all images."""
    content = io.BytesIO()
    torch.save((dict(metrics), keys), content)
    for part in processes.to_first(content.getvalue())[1:]:
        others, further = torch.load(io.BytesIO(part), map_location=device, weights_only=False)
        if further:
            keys += further
            for name, metric in metrics.items():
                metric.merge(others[name])
    return keys


def _measured(metrics: Mapping[str, Metric], keys: Sequence[str]) -> Measured:
    scores: dict[str, float] = {}
    for name, metric in metrics.items():
        scores |= _scores(name, metric)
    each = {name: _per_image(name, metric, keys) for name, metric in metrics.items()}
    return Measured(scores, {name: values for name, values in each.items() if values is not None})


def _add(metric: Metric, batch: Batch, prediction: Tensor) -> None:
    sides = (*batch.sides, batch.compared(prediction))
    if batch.mask is None:
        metric.update(*sides)
    else:
        metric.update_masked(*sides, batch.mask)


def _per_image(name: str, metric: Metric, keys: Sequence[str]) -> dict[str, float] | None:
    values = cast(object, metric.per_image())  # a plugin's, which may be anything
    if values is None:
        return None
    if not (isinstance(values, Sequence) and len(values) == len(keys)):
        raise TrainingError(f"per_image() of the metric {name}: expected a sequence of {len(keys)} numbers")
    return {key: _score(name, value) for key, value in zip(keys, values, strict=True)}


def _scores(name: str, metric: Metric) -> dict[str, float]:
    """Scores of a metric by name: its label, or `label/score`."""
    value = cast(object, metric.compute())  # a plugin's, which may be anything
    if not metric.scores:
        return {name: _score(name, value)}
    if not (isinstance(value, Mapping) and set(value) == set(metric.scores)):
        given = ", ".join(map(str, value)) if isinstance(value, Mapping) else f"a {type(value).__name__}"
        raise TrainingError(f"the metric {name}: expected the scores {', '.join(metric.scores)}, got {given}")
    return {f"{name}/{score}": _score(f"{name}/{score}", value[score]) for score in metric.scores}


def _score(name: str, value: object) -> float:
    if not isinstance(value, int | float):
        what = f"the metric {name}: expected an int or float, got a {type(value).__name__}"
        raise TrainingError(what)
    try:
        score = float(value)
    except OverflowError as error:
        raise TrainingError(f"the metric {name}: the integer is too large for a float") from error
    if not math.isfinite(score):
        _log.warning("The metric %s is %s.", name, score)
    return score


def pair_as_batch(pairs: PreparedPairs, index: int, device: torch.device) -> Batch:
    """One pair as a batch."""
    pair = pairs[index]
    mask = None if pair.mask is None else pair.mask[None].to(device)
    return to_batch(pairs.sides, pair.condition[None].to(device), pair.target[None].to(device), mask)


def preview(experiment: Experiment, predictor: Predictor) -> Pictures:
    """A few validation pairs, the same each time."""
    pairs = experiment.validation
    condition, target = view_pairs(pairs, experiment.settings.evaluate)
    indices = evenly_spaced(len(pairs), experiment.settings.evaluate.preview_pairs)
    batches = [pair_as_batch(pairs, index, experiment.device) for index in indices]
    return Pictures(
        keys=tuple(pairs[index].key for index in indices),
        condition=np.stack([condition.picture(batch.condition[0]) for batch in batches]),
        prediction=np.stack([target.picture(_predicted(predictor, batch)) for batch in batches]),
        target=np.stack(
            [target.picture(to_network(pairs[index].target[None], pairs.sides.target)[0]) for index in indices]
        ),
        condition_caption=condition.caption,
        target_caption=target.caption,
        is_paired=pairs.pairs.is_paired,
    )


def _predicted(predictor: Predictor, batch: Batch) -> Tensor:
    """Check the shape and the range of a prediction, for the first time before the first step."""
    predictions = predictor.method.predictions
    prediction = predictor(batch.condition)
    if prediction.shape != batch.target.shape:
        shapes = f"{tuple(prediction.shape[1:])}, and the target is {tuple(batch.target.shape[1:])}"
        raise TrainingError(f"the prediction is {shapes} (channels, height, width)")
    most = prediction.abs().max().item()
    if predictions == "images" and most > _MOST:
        what = f"a prediction of the method reaches {most:.4g}, and images are in [-1, 1]"
        raise TrainingError(what, hint="Its `predict` ends with a tanh, or clamps what it samples.")
    return prediction[0]
