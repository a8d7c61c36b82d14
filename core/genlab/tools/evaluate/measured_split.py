"""Scores of an evaluation, beside those of what knows nothing and of real pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genlab.assemble.recipe import metric_scores
from genlab.data.order import evenly_spaced
from genlab.engine.validation import Measured, Prediction, measure, pair_as_batch
from genlab.interfaces.batch import Batch
from genlab.interfaces.metric import Metric
from genlab.registry.components import ComponentConfig
from genlab.tools.evaluate.data import EvaluatedData
from genlab.tools.evaluate.evaluation import EvaluatedScore, IntervalMethod
from genlab.tools.intervals import MeanInterval, mean_interval, paired_interval
from genlab.util.confidence import LEVEL

_Ends = tuple[float, float, IntervalMethod]


class MeasuredSplit(NamedTuple):
    """Scores of a split.

    Args:
        scores: in the order of the recipe.
        per_image: of scores that are means over images, each image's value by its key.
        indices: the pairs, without those of which no pixel counts.
    """

    scores: Sequence[EvaluatedScore]
    per_image: Mapping[str, Mapping[str, float]]
    indices: Sequence[int]

    def ranking(self, by: str | None) -> EvaluatedScore | None:
        """The score of a name, or the first one, if it has a value for each image; None without one."""
        return next((it for it in self.scores if it.name in self.per_image and by in (None, it.name)), None)


def measure_split(
    metrics: Mapping[str, Metric],
    configs: Mapping[str, ComponentConfig],
    predict: Prediction,
    data: EvaluatedData,
    mean: Float[Tensor, "1 d h w"] | None,
    device: torch.device,
    count: Callable[[], None],
) -> MeasuredSplit:
    """Measure predictions of all pairs, and what is compared with them.

    Args:
        metrics: by label.
        configs: the recipe's, by label.
        predict: makes the predictions.
        data: the pairs.
        mean: the mean training target; None if it is not available.
        device: where to measure.
        count: called for each pair.
    """
    indices: list[int] = []

    def noted(index: int, batch: Batch) -> Tensor:
        indices.append(index)
        count()
        return predict(index, batch)

    found = measure(metrics, noted, data.pairs, range(len(data.pairs)), device)
    # A metric's own interval is of what it measured last.
    intervals = {name: ends for name, metric in metrics.items() if (ends := _interval(name, metric, found))}
    nothing = _measure_mean(metrics, data, mean, indices, device)
    real = _scores_of_real(metrics, data, indices, device)
    scores = _scores(configs, found, len(indices), intervals, nothing, real)
    return MeasuredSplit(scores, found.per_image, indices)


def _interval(name: str, metric: Metric, found: Measured) -> _Ends | None:
    if name in found.per_image:
        interval = mean_interval(list(found.per_image[name].values()), LEVEL)
        return None if interval is None else (interval.low, interval.high, interval.method)
    ends = None if metric.scores else metric.interval(LEVEL)
    return None if ends is None else (*ends, "metric")


def _measure_mean(
    metrics: Mapping[str, Metric],
    data: EvaluatedData,
    mean: Tensor | None,
    indices: Sequence[int],
    device: torch.device,
) -> Measured:
    """Measure the mean training target as the prediction."""
    if mean is None:
        return Measured({}, {})
    mean = mean.to(device)
    return measure(metrics, lambda _index, _batch: mean, data.pairs, indices, device)


def _difference(name: str, found: Measured, nothing: Measured) -> MeanInterval | None:
    return paired_interval(found.per_image.get(name, {}), nothing.per_image.get(name, {}), LEVEL)


def _scores_of_real(
    metrics: Mapping[str, Metric], data: EvaluatedData, indices: Sequence[int], device: torch.device
) -> Mapping[str, float]:
    """Scores of training targets as the predictions, of metrics that compare sets."""
    sets = {name: metric for name, metric in metrics.items() if metric.compares_sets}
    training = data.training_apart(len(indices))
    if not (sets and training):
        return {}
    places = dict(zip(indices, evenly_spaced(len(training), len(indices)), strict=True))

    def other(index: int, _batch: Batch) -> Tensor:
        return pair_as_batch(training, places[index], device).target

    return measure(sets, other, data.pairs, indices, device).scores


def _scores(
    configs: Mapping[str, ComponentConfig],
    found: Measured,
    count: int,
    intervals: Mapping[str, _Ends],
    nothing: Measured,
    real: Mapping[str, float],
) -> list[EvaluatedScore]:
    """The scores, without those that are only what another's targets get."""
    known = metric_scores(configs)
    of_targets = {score.target_scores for score in known.values()}
    scores: list[EvaluatedScore] = []
    for name, value in found.scores.items():
        if name in of_targets:
            continue
        low, high, method = intervals.get(name, (None, None, None))
        scores.append(
            EvaluatedScore(
                name=name,
                value=value,
                n=count,
                low=low,
                high=high,
                method=method,
                nothing=nothing.scores.get(name),
                real=real.get(name, found.scores.get(known[name].target_scores or "")),
                higher_is_better=known[name].higher_is_better,
                difference=_difference(name, found, nothing),
            )
        )
    return scores
