"""The metrics' suite finds what is planted, and lets sound metrics through."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np
import pytest
import torch
from tests.core.testing.conftest import Planted, failures, require_found, results, unproven
from torch import Tensor

from genlab import Metric, PluginError, Predictions
from genlab.testing import MetricSuite, ToyMetric


class Defined(MetricSuite):
    """The suite as an author has it who says what the toy is."""

    def definition(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:
        return np.abs(prediction.numpy() - target.numpy()).mean().item()


class NoHelp(ToyMetric):
    """Does not say what its setting is for."""

    def __init__(self, *, threshold: float = 0.1) -> None:
        super().__init__()


class NoDirection(Metric):
    """Does not say what is good."""

    update = ToyMetric.update
    compute = ToyMetric.compute
    reset = ToyMetric.reset
    merge = ToyMetric.merge


class OfATensor(ToyMetric):
    """Gives a tensor."""

    def compute(self) -> float:
        return torch.tensor(self.values).mean()


class OfSinglePrecision(ToyMetric):
    """Gives a number of NumPy's that is no float."""

    def compute(self) -> float:
        return np.float32(super().compute())


class WithoutTheMask(ToyMetric):
    """Takes the pixels that count for those that do not."""

    def update_masked(self, condition: Tensor, target: Tensor, prediction: Tensor, mask: Tensor) -> None:
        self.update(condition, target, torch.where(mask, target, prediction))


class OverNothing(ToyMetric):
    """Divides the images in two, and has the mean of the half of which no pixel counts."""

    def update_masked(self, condition: Tensor, target: Tensor, prediction: Tensor, mask: Tensor) -> None:
        for side in (slice(None, 16), slice(16, None)):
            distance, counted = ((prediction - target).abs() * mask)[..., side], mask[..., side]
            self.values += (distance.sum(dim=(1, 2, 3)) / counted.sum(dim=(1, 2, 3)) / 3).tolist()


class Infinite(ToyMetric):
    """Divides by what may be nothing."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values += ((prediction - target) / (target * 0)).abs().mean(dim=(1, 2, 3)).tolist()


class ResettingWhenAsked(ToyMetric):
    """Begins anew when it has said its score."""

    def compute(self) -> float:
        value = super().compute()
        self.values = [0.0]
        return value


class OfImagesDrawn(ToyMetric):
    """Weighs the images at random."""

    def compute(self) -> float:
        return float(np.random.default_rng().dirichlet(np.ones(len(self.values))) @ self.values)


class Squared(ToyMetric):
    """Is another score than it says."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values += (prediction - target).square().mean(dim=(1, 2, 3)).tolist()


class MeanOfBatches(ToyMetric):
    """Takes the mean of the means of batches."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values.append((prediction - target).abs().mean().item())


class FirstOfABatch(ToyMetric):
    """Takes it for granted that images come one by one."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        super().update(condition[:1], target[:1], prediction[:1])


class Sums(ToyMetric):
    """Sound: keeps a sum and a count."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.total += (prediction - target).abs().mean(dim=(1, 2, 3)).sum().item()
        self.count += len(target)

    def compute(self) -> float:
        return self.total / self.count

    def reset(self) -> None:
        self.total, self.count = 0.0, 0

    def merge(self, other: Sums) -> None:
        self.total += other.total
        self.count += other.count


class ForgettingHalf(Sums):
    """Forgets the sum, and not of how many it is."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__()

    def reset(self) -> None:
        self.total = 0.0


class NeverReset(ToyMetric):
    """Makes its list in its constructor alone."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def reset(self) -> None: ...


class OneListForAll(ToyMetric):
    """Has its list in the class."""

    values: ClassVar[list[float]] = []

    def reset(self) -> None:
        self.values.clear()


class Overwriting(ToyMetric):
    """Takes over what another one counted."""

    def merge(self, other: ToyMetric) -> None:
        self.values = other.values


class Averaging(Sums):
    """Takes the mean of both, however many each counted."""

    def merge(self, other: Sums) -> None:
        self.total = (self.compute() + other.compute()) / 2
        self.count = 1


class CountsOfOne(Sums):
    """Forgets of how many the other one's sum is."""

    def merge(self, other: Sums) -> None:
        self.total += other.total


class Unsendable(ToyMetric):
    """Keeps a function without a name."""

    def __init__(self) -> None:
        super().__init__()
        self.distance: Callable[[Tensor], Tensor] = lambda difference: difference.abs()


class Backwards(ToyMetric):
    """Sound but for the order of what it says of images."""

    def per_image(self) -> Sequence[float]:
        return self.values[::-1]


class Sorted(ToyMetric):
    """Says of images what is sorted: in this order they are not."""

    def per_image(self) -> Sequence[float]:
        return sorted(self.values, reverse=True)


class OfBatches(ToyMetric):
    """Says for each batch what it should say for each image."""

    def __init__(self) -> None:
        super().__init__()

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        super().update(condition, target, prediction)
        self.batches.append((prediction - target).abs().mean().item())

    def reset(self) -> None:
        super().reset()
        self.batches: list[float] = []

    def per_image(self) -> Sequence[float]:
        return self.batches


class TensorsOfImages(ToyMetric):
    """Gives tensors."""

    def per_image(self) -> Sequence[float]:
        return list(torch.tensor(self.values))


class ArrayOfImages(ToyMetric):
    """Gives an array, which is no sequence."""

    def per_image(self) -> Sequence[float]:
        return np.array(self.values)


class MedianOfImages(ToyMetric):
    """Is no mean over images, and says so of each."""

    def compute(self) -> float:
        return float(np.median(self.values)) + 0.1

    def per_image(self) -> Sequence[float]:
        return self.values


class Two(Sums):
    """Sound: two scores, one of which is what the other would be of targets."""

    higher_is_better: ClassVar[bool] = False
    scores: ClassVar[Sequence[str]] = ("contrast", "real_contrast")
    target_scores: ClassVar[Mapping[str, str]] = {"contrast": "real_contrast"}

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.total += prediction.std(dim=(1, 2, 3)).sum().item()
        self.real += target.std(dim=(1, 2, 3)).sum().item()
        self.count += len(target)

    def compute(self) -> Mapping[str, float]:
        return {"contrast": self.total / self.count, "real_contrast": self.real / self.count}

    def reset(self) -> None:
        super().reset()
        self.real = 0.0

    def merge(self, other: Two) -> None:
        super().merge(other)
        self.real += other.real


class OtherNames(Two):
    """Gives a score that it does not declare."""

    def compute(self) -> Mapping[str, float]:
        return {**super().compute(), "difference": 0.0}


class TensorsByName(Two):
    """Gives tensors by name."""

    def compute(self) -> Mapping[str, float]:
        return {name: torch.tensor(value) for name, value in super().compute().items()}


class ImagesOfTwo(Two):
    """Says of images what it cannot say of which score."""

    def per_image(self) -> Sequence[float]:
        return [1.0] * self.count


class WrongTwin(Two):
    """Has the scores of targets from the prediction."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        super().update(condition, target, prediction)
        self.real += prediction.std(dim=(1, 2, 3)).sum().item()


class UpsideDown(ToyMetric):
    """Says that more error is better."""

    higher_is_better: ClassVar[bool] = True


class Verbose(ToyMetric):
    """Says more than a line of what it measures with."""

    def description(self) -> str:
        return "measured with\na trained network"


class NamedByTime(ToyMetric):
    """Hashes when it was made."""

    def fingerprint(self) -> str:
        return str(time.time_ns())


class NumberedPrint(ToyMetric):
    """Gives a number for a hash."""

    def fingerprint(self) -> str:
        return 17


class Spanning(Sums):
    """Has an interval that no level moves, upside down."""

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        return 2.0, 1.0


class OneEnd(Sums):
    """Has half an interval."""

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        return (level,)


class Unbounded(Sums):
    """Has an interval without ends."""

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        return -np.inf, np.inf


class Paired(Sums):
    """Compares pairs, and says that it compares sets."""

    needs_pairs: ClassVar[bool] = False
    compares_sets: ClassVar[bool] = True


class InPlace(ToyMetric):
    """Moves images to [0, 1] where they lie."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        super().update(condition, target.add_(1).div_(2), prediction.add_(1).div_(2))


_SCORES = "test_it_gives_its_scores"
_MERGED = "test_what_processes_counted_is_merged"
_MASKED = "test_a_mask_of_all_pixels_changes_nothing"
_EACH = "test_each_image_has_its_own_score"
_WITH = "test_it_says_what_it_measures_with"

PLANTED = [
    Planted(NoDirection, "test_a_recipe_can_name_it", "NoDirection lacks `higher_is_better`"),
    Planted(NoHelp, "test_settings_have_help", "the docstring says nothing of `threshold` under `Args:`"),
    Planted(OfATensor, _SCORES, "compute() gives a Tensor, and a score is an int or float"),
    Planted(OfSinglePrecision, _SCORES, "compute() gives a float32, and a score is an int or float"),
    Planted(Infinite, _SCORES, "it is inf"),
    Planted(ResettingWhenAsked, _SCORES, "asked again, it says something else"),
    Planted(OtherNames, _SCORES, "expected the scores contrast, real_contrast"),
    Planted(TensorsByName, _SCORES, "compute() of contrast gives a Tensor"),
    Planted(Squared, "test_it_is_what_it_is_defined_to_be", "its definition gives 0.2"),
    Planted(MeanOfBatches, "test_batches_make_no_difference", "in batches of (2, 3) it is not the same"),
    Planted(FirstOfABatch, "test_batches_make_no_difference", "in batches of (1, 1, 1, 1, 1) it is not the same"),
    Planted(OfImagesDrawn, "test_batches_make_no_difference", "it is not the same"),
    Planted(ForgettingHalf, "test_reset_forgets", "after a reset it is not as new"),
    Planted(NeverReset, "test_reset_forgets", "after a reset it is not as new"),
    Planted(OneListForAll, "test_each_counts_for_itself", "beside another one it is not the same"),
    Planted(Overwriting, _MERGED, "merged from 2 and 3 images it is not"),
    Planted(Averaging, _MERGED, "ZeroDivisionError"),
    Planted(CountsOfOne, _MERGED, "ZeroDivisionError"),
    Planted(Unsendable, _MERGED, "it cannot be pickled: "),
    Planted(Backwards, _EACH, "per_image() says"),
    Planted(Sorted, _EACH, "of image 0, alone it is"),
    Planted(OfBatches, _EACH, "expected a sequence of 5 numbers, one per image"),
    Planted(TensorsOfImages, _EACH, "per_image() gives a Tensor, and a score is an int or float"),
    Planted(ArrayOfImages, _EACH, "expected a sequence of 5 numbers, one per image"),
    Planted(MedianOfImages, _EACH, "the mean of per_image() is"),
    Planted(ImagesOfTwo, _EACH, "it has several scores, and per_image() is for one that has a single one"),
    Planted(UpsideDown, "test_the_target_itself_is_best", "and `higher_is_better` is True"),
    Planted(WrongTwin, "test_the_target_itself_is_best", "real_contrast is"),
    Planted(Spanning, "test_its_interval_is_one", "its interval is 2 to 1 at 50 %"),
    Planted(OneEnd, "test_its_interval_is_one", "interval() returns (0.5,); expected the lower and the upper end"),
    Planted(Unbounded, "test_its_interval_is_one", "interval() returns -inf and inf; expected finite numbers"),
    Planted(Paired, "test_sets_have_no_order", "with predictions in another order it is not"),
    Planted(Verbose, _WITH, "its description is 'measured with\\na trained network'; expected one line"),
    Planted(NamedByTime, _WITH, "its fingerprint differs each time"),
    Planted(NumberedPrint, _WITH, "its fingerprint is 17"),
    Planted(WithoutTheMask, _MASKED, "where all pixels count it is not the same: 0."),
    Planted(OverNothing, _MASKED, "of images of which a quarter of the pixels counts, it is nan"),
    Planted(InPlace, "test_inputs_are_left_alone", "it modifies its inputs in place"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_mistake_is_found(planted: Planted) -> None:
    require_found(Defined, planted)


def test_every_test_finds_a_mistake() -> None:
    assert unproven(Defined, PLANTED) == set()


# Sound metrics of other kinds


class EachImage(ToyMetric):
    """Tells what each image has."""

    def per_image(self) -> Sequence[float]:
        return tuple(self.values)

    def description(self) -> str:
        return "measured with a ruler"

    def fingerprint(self) -> str:
        return "0123"


@pytest.mark.parametrize("metric", [ToyMetric, EachImage, Sums])
def test_a_sound_one_passes(metric: type[Metric]) -> None:
    assert failures(Defined, metric) == {}


class Projected(ToyMetric):
    """Looks at images in a direction that its constructor draws."""

    def __init__(self) -> None:
        super().__init__()
        self.direction = torch.randn(3, 1, 1)

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.values += ((prediction - target) * self.direction).sum(dim=1).abs().mean(dim=(1, 2)).tolist()


class RightPixels(Metric):
    """The share of pixels whose class is right."""

    higher_is_better: ClassVar[bool] = True
    predictions: ClassVar[Predictions] = "classes"

    def __init__(self) -> None:
        self.reset()

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        right = prediction.argmax(dim=1) == target.argmax(dim=1)
        self.right += int(right.sum())
        self.all += right.numel()

    def compute(self) -> float:
        return self.right / self.all

    def reset(self) -> None:
        self.right = self.all = 0

    def merge(self, other: Any) -> None:
        self.right += other.right
        self.all += other.all


@pytest.mark.parametrize("metric", [Two, Projected, RightPixels])
def test_one_without_a_definition_passes_as_well(metric: type[Metric]) -> None:
    found = results(MetricSuite, metric)
    assert {test: result.why for test, result in found.items() if result.outcome == "failed"} == {}
    defined = found["test_it_is_what_it_is_defined_to_be"]
    assert (defined.outcome, defined.why) == ("skipped", "no definition is given to compare with")


def test_a_definition_may_be_of_several_scores() -> None:
    def definition(_: MetricSuite, condition: Tensor, target: Tensor, prediction: Tensor) -> dict[str, float]:
        return {"contrast": prediction.std(dim=(1, 2, 3)).mean().item(), "real_contrast": 0.0}

    (why,) = failures(MetricSuite, Two, definition=definition).values()
    assert why.startswith("its definition gives real_contrast = 0, and it says 0.")


class Contrast(Sums):
    """Does not look at the target."""

    higher_is_better: ClassVar[bool] = True

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        super().update(condition, torch.zeros_like(target), prediction)


def test_one_that_does_not_look_at_the_target_says_so() -> None:
    assert list(failures(MetricSuite, Contrast)) == ["test_the_target_itself_is_best"]
    assert failures(MetricSuite, Contrast, is_best_at_target=False) == {}


class Windowed(ToyMetric):
    """Cannot look at small images."""

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        if target.shape[-1] < 48:
            raise ValueError("it compares windows of 48 x 48 pixels")
        super().update(condition, target, prediction)


def test_images_may_be_larger() -> None:
    assert failures(MetricSuite, Windowed)
    assert failures(MetricSuite, Windowed, size=48) == {}


def test_an_example_may_be_of_another_look() -> None:
    def example(_: MetricSuite) -> tuple[Tensor, Tensor, Tensor]:
        raise SkipTest("it is asked for")

    assert {result.why for result in results(MetricSuite, ToyMetric, example=example).values()} >= {"it is asked for"}


class OfSets(Sums):
    """Compares the mean of all predictions with that of all targets."""

    needs_pairs: ClassVar[bool] = False
    compares_sets: ClassVar[bool] = True

    def update(self, condition: Tensor, target: Tensor, prediction: Tensor) -> None:
        self.total += (prediction - target).mean(dim=(1, 2, 3)).sum().item()
        self.count += len(target)

    def compute(self) -> float:
        return abs(super().compute())

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        return self.compute() - level, self.compute() + level


def test_one_of_sets_may_have_an_interval():
    assert failures(MetricSuite, OfSets) == {}


def test_one_of_sets_needs_no_pairs():
    with pytest.raises(PluginError, match="Paired has compares_sets = True, and needs_pairs = True"):
        type("Paired", (Sums,), {"compares_sets": True})
