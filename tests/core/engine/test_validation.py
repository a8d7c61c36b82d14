from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch
from tests.core.toys import MemoryPairs, ToyMetric, experiment, noise, pictures

from genlab import ImageSide, LabelSide, PluginError, TrainingError
from genlab.data.prepared import PairSpec, PreparedPairs
from genlab.data.sides import OneHotLabels, to_bytes
from genlab.engine.experiment import Experiment
from genlab.engine.inference import Predictor
from genlab.engine.validation import Interrupted, pair_as_batch, preview, validate


def predictor(made: Experiment) -> Predictor:
    return Predictor(made.method, made.settings.inference)


def never() -> bool:
    return False


def distance(made: Experiment, pairs: MemoryPairs, indices: list[int]) -> float:
    """The metric from the arrays themselves; the pairs have the networks' size."""
    found = []
    for index in indices:
        condition, target = (
            torch.from_numpy(array / 127.5 - 1).float().permute(2, 0, 1)[None] for array in pairs.arrays[index]
        )
        found.append(float((predictor(made)(condition) - target).abs().mean()))
    return float(np.mean(found))


def small(**tables) -> Experiment:
    """Pairs that lie at the networks' size already."""
    made = experiment(pairs=pictures(5), **tables)
    made.validation.pairs = pictures(3, seed=7)
    return made


def test_each_metric_over_validation_and_training_pairs_and_their_gap():
    made = small()
    metrics = validate(made, predictor(made), never).scores
    validation = distance(made, made.validation.pairs, [0, 1, 2])
    train = distance(made, made.training.pairs, [0, 1, 3])
    assert metrics == pytest.approx(
        {"validation/distance": validation, "train/distance": train, "gap/distance": validation - train}, rel=1e-5
    )


def test_measures_no_more_pairs_than_asked_for():
    made = small(evaluate={"pairs": 2})
    metrics = validate(made, predictor(made), never).scores
    assert made.validation.pairs.reads == [1, 1, 0]
    assert made.training.pairs.reads == [1, 0, 1, 0, 0]
    assert metrics["validation/distance"] == pytest.approx(distance(made, made.validation.pairs, [0, 1]), rel=1e-5)


def test_fewer_training_than_validation_pairs_are_all_measured():
    made = experiment(pairs=pictures(1, 12, 12))
    validate(made, predictor(made), never)
    assert made.training.pairs.reads == [1]
    assert made.validation.pairs.reads == [1, 1, 1]


def test_training_pairs_are_measured_whole_not_cropped():
    made, seen = experiment(pairs=pictures(5, 12, 12)), []

    class Looking(ToyMetric):
        def update(self, condition, target, prediction):
            seen.append(condition)
            super().update(condition, target, prediction)

    made.metrics["looking"] = Looking()
    validate(made, predictor(made), never)
    assert torch.equal(seen[3], pair_as_batch(made.unaugmented, 0, made.device).condition)
    assert len(seen) == 6


def test_several_metrics_go_by_their_labels():
    made = small()
    made.metrics["again"] = ToyMetric()
    metrics = validate(made, predictor(made), never).scores
    assert metrics["gap/again"] == metrics["gap/distance"]
    assert len(metrics) == 6


class Several(ToyMetric):
    scores = ("mean", "twice")
    given = ("mean", "twice")

    def compute(self):
        return {name: super(Several, self).compute() * (1 + index) for index, name in enumerate(self.given)}


def test_a_metric_may_have_several_scores():
    made = small()
    made.metrics["several"] = Several()
    metrics = validate(made, predictor(made), never).scores
    assert list(metrics)[1:3] == ["validation/several/mean", "validation/several/twice"]
    assert metrics["validation/several/twice"] == 2 * metrics["validation/distance"]
    assert metrics["gap/several/twice"] == pytest.approx(2 * metrics["gap/distance"])


def test_an_image_of_which_no_pixel_counts_is_left_out():
    counted = [np.ones((8, 8), bool), np.zeros((8, 8), bool), np.arange(64).reshape(8, 8) > 9]
    made = experiment(input={"size": 8})
    pairs = MemoryPairs(noise(3, 8, 8, 3), noise(3, 8, 8, 3, seed=4), masks=counted)
    made = replace(made, validation=PreparedPairs(pairs, made.settings.input, (8, 8)), metrics={"each": Each()})
    found = validate(made, predictor(made), never)
    values = found.per_image["validation/each"]
    assert values.keys() == {"pair 0", "pair 2"}
    assert found.scores["validation/each"] == pytest.approx(sum(values.values()) / 2)
    batch = pair_as_batch(made.validation, 2, made.device)
    apart = (predictor(made)(batch.condition) - batch.target).abs() * batch.mask
    assert values["pair 2"] == pytest.approx(apart.mean().item())


class Each(ToyMetric):
    def per_image(self):
        return tuple(self.values)


def test_what_each_image_has_is_kept_of_metrics_that_are_means_over_images():
    made = small()
    made.metrics["each"] = Each()
    scores, per_image = validate(made, predictor(made), never)
    assert set(per_image) == {"validation/each", "train/each"}
    assert list(per_image["validation/each"]) == ["pair 0", "pair 1", "pair 2"]
    assert sum(per_image["validation/each"].values()) / 3 == pytest.approx(scores["validation/each"])


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0, 4.0], torch.ones(3), 1.0, ["a", "b", "c"]])
def test_what_each_image_has_must_be_a_number_for_each(values):
    made = small()
    made.metrics["each"] = Each()
    made.metrics["each"].per_image = lambda: values
    with pytest.raises(TrainingError, match="the metric each"):
        validate(made, predictor(made), never)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"scores": "iou"}, 'has scores = "iou"; expected a tuple of names'),
        ({"scores": ("a", "b", "a")}, "has duplicate scores: a, b, a"),
        (
            {"scores": ("a",), "target_scores": {"a": "real_a"}},
            "target_scores with `real_a`, which is none of its scores",
        ),
        ({"higher_is_better": "up"}, "higher_is_better = 'up'; it takes True or False"),
    ],
)
def test_what_a_metric_says_of_its_scores_is_held_to_sense(attributes, words):
    with pytest.raises(PluginError) as caught:
        type("Odd", (ToyMetric,), attributes)
    assert words in caught.value.what


def test_an_integer_that_is_too_large_for_a_number():
    made = small()
    made.metrics["huge"] = ToyMetric()
    made.metrics["huge"].compute = lambda: 10**400
    with pytest.raises(TrainingError, match="the metric huge: the integer is too large"):
        validate(made, predictor(made), never)


@pytest.mark.parametrize("given", [("mean",), ("mean", "twice", "thrice")])
def test_a_metric_that_gives_other_scores_than_it_said(given):
    made = small()
    made.metrics["several"] = Several()
    made.metrics["several"].given = given
    with pytest.raises(TrainingError, match=r"the metric several: expected the scores mean, twice, got mean"):
        validate(made, predictor(made), never)


def test_a_metric_that_gives_one_score_and_said_several():
    made = small()
    made.metrics["several"] = Several()
    made.metrics["several"].compute = lambda: 1.0
    with pytest.raises(TrainingError, match="the metric several: expected the scores"):
        validate(made, predictor(made), never)


def test_previews_show_classes_in_their_colors():
    palette = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    labels = [np.arange(64, dtype=np.uint8).reshape(8, 8) % 3]
    made = small()
    made.validation.sides = PairSpec(ImageSide(), OneHotLabels(palette))
    made.validation.pairs = MemoryPairs(noise(1, 8, 8, 3), labels, (ImageSide(), LabelSide(palette)))
    pictures = preview(made, predictor(made))
    np.testing.assert_array_equal(pictures.target[0], np.array(palette)[labels[0]])
    assert {tuple(color) for color in pictures.prediction.reshape(-1, 3)} <= set(palette)


def test_without_metrics_nothing_is_predicted():
    made = small()
    made.metrics.clear()
    assert validate(made, predictor(made), never) == ({}, {})
    assert sum(made.validation.pairs.reads) == 0


def test_a_second_validation_starts_afresh():
    made = small()
    first = validate(made, predictor(made), never).scores
    assert validate(made, predictor(made), never).scores == first


@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_a_validation_is_given_up_when_the_run_shall_stop(pairs):
    made, asked = small(), count()
    with pytest.raises(Interrupted):
        validate(made, predictor(made), lambda: next(asked) >= pairs)
    assert sum(made.validation.pairs.reads) + sum(made.training.pairs.reads) == pairs


def test_previews_show_the_same_pairs_each_time():
    made = small(evaluate={"preview_pairs": 2})
    shown, again = (preview(made, predictor(made)) for _ in range(2))
    pairs = made.validation.pairs.arrays
    assert shown.keys == ("pair 0", "pair 1")
    np.testing.assert_array_equal(shown.condition, np.stack([pairs[0][0], pairs[1][0]]))
    np.testing.assert_array_equal(shown.target, np.stack([pairs[0][1], pairs[1][1]]))
    np.testing.assert_array_equal(shown.prediction, again.prediction)
    condition = torch.from_numpy(pairs[1][0] / 127.5 - 1).float().permute(2, 0, 1)[None]
    np.testing.assert_array_equal(shown.prediction[1], to_bytes(predictor(made)(condition)[0]))


def test_previews_show_all_pairs_if_there_are_fewer():
    made = small(evaluate={"preview_pairs": 64})
    assert preview(made, predictor(made)).keys == ("pair 0", "pair 1", "pair 2")


def test_previews_follow_the_training():
    made = small()
    before = preview(made, predictor(made)).prediction
    with torch.no_grad():
        made.networks["generator"].outer.bias.add_(0.5)
    assert (preview(made, predictor(made)).prediction.astype(int) > before).mean() > 0.9


def test_pairs_of_any_size_are_measured_at_the_networks_size():
    arrays = noise(2, 30, 17, 3)
    made = experiment(pairs=MemoryPairs(arrays, arrays))
    assert pair_as_batch(made.unaugmented, 1, made.device).condition.shape == (1, 3, 8, 8)
