"""Conformance tests of metrics."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import ClassVar, cast
from unittest import SkipTest

import torch
from torch import Tensor

from genlab.interfaces.metric import Metric
from genlab.testing.examples import batch, perfect, wrong
from genlab.testing.suite import ConformanceError, Suite, require, require_fingerprint

NamedScores = Mapping[str, float]
_COUNT = 5


class MetricSuite(Suite):
    """A metric's part of the contract.

    Override `definition`, so that scores are compared with what they are defined to be; and `example` for a metric
    that needs conditions of a certain look. `is_best_at_target = False` is for one that does not look at the target.
    """

    kind = "metric"
    is_best_at_target: ClassVar[bool] = True
    size: ClassVar[int] = 32

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float | NamedScores:  # noqa: ARG002
        """The metric over all images at once, or all of its values by name, written as plainly as possible."""
        raise SkipTest("no definition is given to compare with")

    def example(self) -> tuple[Tensor, Tensor, Tensor]:
        """Condition, target and prediction of a few images; each prediction is farther off than the one before."""
        predictions = self.component.predictions
        given = batch(predictions, _COUNT, self.size)
        shares = torch.linspace(0.1, 0.9, _COUNT).view(-1, 1, 1, 1)
        best, worst = perfect(given.target, predictions), wrong(given.target, predictions)
        return given.condition, given.target, torch.lerp(best, worst, shares)

    def metric(self) -> Metric:
        """A new metric with the suite's settings, after `reset`."""
        metric: Metric = self.construct()
        metric.reset()
        return metric

    def measured(self, cuts: Sequence[int] = (_COUNT,)) -> Metric:
        """One that has counted the example in batches of these sizes."""
        metric = self.metric()
        for part in zip(*(tensor.split(list(cuts)) for tensor in self.example()), strict=True):
            metric.update(*part)
        return metric

    def scores(self, metric: Metric) -> NamedScores:
        """Values by name; a metric with one value has an empty name."""
        value: object = metric.compute()
        if not self.component.scores:
            return {"": _number(value, "compute()")}
        if not (isinstance(value, Mapping) and set(value) == set(self.component.scores)):
            raise ConformanceError(f"compute() returns {value}; expected the scores {', '.join(self.component.scores)}")
        return {str(name): _number(score, f"compute() of {name}") for name, score in value.items()}

    def test_it_gives_its_scores(self) -> None:
        """Each is a finite number, and the same when it is asked again."""
        metric = self.measured()
        scores = self.scores(metric)
        odd = [f"{name or 'it'} is {value}" for name, value in scores.items() if not math.isfinite(value)]
        require(not odd, ", ".join(odd))
        require(self.scores(metric) == scores, "asked again, it says something else")

    def test_it_is_what_it_is_defined_to_be(self) -> None:
        """Its scores are those of its definition."""
        value = self.definition(*self.example())
        defined = value if isinstance(value, Mapping) else {"": value}
        _require_equal(self.scores(self.measured()), defined, "its definition gives")

    def test_batches_make_no_difference(self) -> None:
        """However the images are cut into batches, the scores are the same."""
        scores = self.scores(self.measured())
        for cuts in ((1,) * _COUNT, (2, 3), (4, 1)):
            _require_equal(self.scores(self.measured(cuts)), scores, f"in batches of {cuts} it is not the same:")

    def test_reset_forgets(self) -> None:
        """After a reset it is as new."""
        condition, target, _ = self.example()
        metric = self.metric()
        metric.update(condition, target, wrong(target, self.component.predictions))
        metric.reset()
        metric.update(*self.example())
        _require_equal(self.scores(metric), self.scores(self.measured()), "after a reset it is not as new:")

    def test_each_counts_for_itself(self) -> None:
        """Two instances at once count independently."""
        condition, target, _ = self.example()
        metric, other = self.metric(), self.metric()
        metric.update(*self.example())
        other.update(condition, target, wrong(target, self.component.predictions))
        _require_equal(self.scores(metric), self.scores(self.measured()), "beside another one it is not the same:")

    def test_what_processes_counted_is_merged(self) -> None:
        """Two that counted a part each, in other processes, say together what one says that counted all."""
        scores = self.scores(self.measured())
        example = self.example()
        for cut in (0, 2, _COUNT):
            parts = [self.metric(), self.metric()]
            for metric, slice_ in zip(parts, (slice(None, cut), slice(cut, None)), strict=True):
                if len(example[0][slice_]):
                    metric.update(*(tensor[slice_] for tensor in example))
            first, second = map(_sent, parts)
            first.merge(second)
            _require_equal(self.scores(first), scores, f"merged from {cut} and {_COUNT - cut} images it is not:")

    def test_each_image_has_its_own_score(self) -> None:
        """If it is a mean over images, it tells each image's value, in order."""
        each = cast(object, self.measured((2, 3)).per_image())
        if each is None:
            return
        require(not self.component.scores, "it has several scores, and per_image() is for one that has a single one")
        if not (isinstance(each, Sequence) and len(each) == _COUNT):
            what = f"per_image() returns {each!r:.60}; expected a sequence of {_COUNT} numbers, one per image"
            raise ConformanceError(what)
        values = [_number(value, "per_image()") for value in each]
        (score,) = self.scores(self.measured()).values()
        require(_close(fmean(values), score), f"the mean of per_image() is {fmean(values)}, and the score {score}")
        for index in range(_COUNT):
            metric = self.metric()
            metric.update(*(tensor[index : index + 1] for tensor in self.example()))
            (alone,) = self.scores(metric).values()
            what = f"per_image() says {values[index]} of image {index}, alone it is {alone}"
            require(_close(alone, values[index]), what)

    def test_its_interval_is_one(self) -> None:
        """If it has an interval, that is two finite numbers in order, and one of a higher level is wider."""
        metric = self.measured()
        narrow, wide = (cast(object, metric.interval(level)) for level in (0.5, 0.95))
        if narrow is None and wide is None:
            return
        require(not self.component.scores, "it has several scores, and interval() is for one that has a single one")
        require(metric.per_image() is None, "it is a mean over images, whose interval needs no interval()")
        (low, high), (lower, higher) = _ends(narrow), _ends(wide)
        what = f"its interval is {low:.6g} to {high:.6g} at 50 %, and {lower:.6g} to {higher:.6g} at 95 %"
        require(lower <= low <= high <= higher, what)

    def test_sets_have_no_order(self) -> None:
        """If it compares sets, it does not matter which prediction belongs to which target."""
        if not self.component.compares_sets:
            return
        metric = self.metric()
        require(self.measured().per_image() is None, "it compares sets, so an image has no score of its own")
        condition, target, prediction = self.example()
        metric.update(condition, target, prediction.roll(1, dims=0))
        _require_equal(self.scores(metric), self.scores(self.measured()), "with predictions in another order it is not")

    def test_the_target_itself_is_best(self) -> None:
        """No prediction scores better than the target, whose own scores are `target_scores`."""
        condition, target, _ = self.example()
        metric = self.metric()
        metric.update(condition, target, perfect(target, self.component.predictions))
        best, given = self.scores(metric), self.scores(self.measured())
        target_scores = self.component.target_scores
        sign = 1 if self.component.higher_is_better else -1
        for name in best.keys() - set(target_scores.values()) if self.is_best_at_target else ():
            what = f"{name or 'it'} is {best[name]:.6g} for the targets, {given[name]:.6g} for worse predictions"
            require(
                sign * best[name] >= sign * given[name],
                f"{what}, and `higher_is_better` is {self.component.higher_is_better}",
            )
        for name, twin in target_scores.items():
            require(_close(given[twin], best[name]), f"{twin} is {given[twin]}, and {name} of targets {best[name]}")

    def test_it_says_what_it_measures_with(self) -> None:
        """In a line and by a hash, or not at all: the same for another one of the same settings."""
        one, other = self.construct(), self.construct()
        description = one.description()
        is_line = description is None or (isinstance(description, str) and len(description.splitlines()) == 1)
        require(is_line, f"its description is {description!r:.60}; expected one line")
        require_fingerprint(one, other)

    def test_a_mask_of_all_pixels_changes_nothing(self) -> None:
        """Scores are those without a mask where every pixel counts, and finite where few do."""
        example = self.example()
        masked, few = self.metric(), self.metric()
        counted = torch.ones_like(example[1][:, :1], dtype=torch.bool)
        masked.update_masked(*example, counted)
        _require_equal(self.scores(masked), self.scores(self.measured()), "where all pixels count it is not the same:")
        condition, target, prediction = example
        counted = counted & (torch.arange(self.size) < self.size // 4)
        if self.component.predictions == "classes":
            target = target * counted
        few.update_masked(condition, target, torch.where(counted, prediction, target), counted)
        odd = [f"{name or 'it'} is {value}" for name, value in self.scores(few).items() if not math.isfinite(value)]
        require(not odd, f"of images of which a quarter of the pixels counts, {', '.join(odd)}")

    def test_inputs_are_left_alone(self) -> None:
        """It changes no input in place, as others use them."""
        example = self.example()
        copies = [tensor.clone() for tensor in example]
        self.metric().update(*example)
        require(all(map(torch.equal, example, copies)), "it modifies its inputs in place")


def _sent(metric: Metric) -> Metric:
    """As it comes to another process."""
    try:
        return pickle.loads(pickle.dumps(metric))
    except Exception as error:
        raise ConformanceError(f"it cannot be pickled: {error}") from error


def _ends(interval: object) -> tuple[float, float]:
    if not (isinstance(interval, tuple) and len(cast(tuple[object, ...], interval)) == 2):
        raise ConformanceError(f"interval() returns {interval!r:.60}; expected the lower and the upper end, or None")
    low, high = (_number(end, "interval()") for end in cast(tuple[object, object], interval))
    require(math.isfinite(low) and math.isfinite(high), f"interval() returns {low} and {high}; expected finite numbers")
    return low, high


def _number(value: object, what: str) -> float:
    if not isinstance(value, int | float):
        raise ConformanceError(f"{what} gives a {type(value).__name__}, and a score is an int or float")
    return float(value)


def _require_equal(given: NamedScores, expected: NamedScores, what: str) -> None:
    for name, value in expected.items():
        close = name in given and _close(given[name], value)
        require(close, f"{what} {name and name + ' = '}{value:.8g}, and it says {given.get(name, math.nan):.8g}")


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-7)
