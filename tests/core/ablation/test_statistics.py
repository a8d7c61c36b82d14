"""Statistics against scipy, worked by hand, and on numbers without an effect."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from genlab.ablation.statistics import OverImages, compare, mean_and_deviation, over_images, sentence


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_mean_and_standard_deviation_by_hand() -> None:
    """Of 1, 2, 3, 4: squared deviations 2.25 + 0.25 + 0.25 + 2.25 = 5, over n - 1 = 3."""
    of_four = mean_and_deviation([1.0, 2.0, 3.0, 4.0])
    assert of_four.mean == 2.5
    assert of_four.deviation == pytest.approx((5 / 3) ** 0.5)
    assert of_four.n == 4
    assert mean_and_deviation([3.0]).deviation is None


def test_the_interval_of_paired_differences_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), and t(0.975, 2 degrees of freedom) = 4.30265."""
    found = compare(by_seed(10, 20, 30), {"arm": by_seed(11, 22, 33)})["arm"]
    assert found.mean == 2
    half = 4.302653 / 3**0.5
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half), rel=1e-6)
    assert found.by_seed == {0: 1, 1: 2, 2: 3}
    assert found.n == 3


def test_intervals_of_several_arms_are_as_wide_as_bonferroni_says_by_hand() -> None:
    """With four arms t(1 - 0.05 / 8, 2 degrees of freedom) = 8.86 (Dunn 1961: 8.860)."""
    arms = {"arm": by_seed(11, 22, 33), "two": by_seed(1, 1, 1), "lost": by_seed(math.nan, 1, 1), "apart": {9: 1.0}}
    found = compare(by_seed(10, 20, 30), arms)
    assert "apart" not in found, "it counts for the correction though it shares no seed"
    assert found["arm"].high - found["arm"].mean == pytest.approx(8.8602 / 3**0.5, rel=1e-4)


def test_one_arm_has_the_interval_of_scipys_paired_test_and_its_verdict() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        n = int(random.integers(3, 9))
        baseline, arm = random.normal(size=n), random.normal(0.5, 2, size=n)
        found = compare(by_seed(*baseline), {"arm": by_seed(*arm)})["arm"]
        expected = stats.ttest_rel(arm, baseline)
        interval = expected.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
        assert (found.verdict(True) == "no difference shown") == (expected.pvalue > 0.05)


def test_what_all_arms_share_in_a_seed_drops_out() -> None:
    seeds = [0.0, 100.0, -50.0, 7.0]
    found = compare(
        by_seed(*seeds), {"arm": by_seed(*[s + d for s, d in zip(seeds, [1.0, 1.1, 0.9, 1.0], strict=True)])}
    )
    assert found["arm"].verdict(False) == "worse"
    assert found["arm"].high - found["arm"].low < 0.3


def test_seeds_are_paired_by_their_number_and_those_of_one_arm_alone_do_not_count() -> None:
    found = compare({0: 1.0, 1: 2.0, 2: 3.0}, {"arm": {2: 3.5, 0: 1.4, 9: 100.0}, "apart": {7: 1.0}})
    assert found["arm"].n == 2
    assert found["arm"].mean == pytest.approx(0.45)
    assert "apart" not in found


@pytest.mark.parametrize(
    ("arm", "mean", "words"),
    [
        ((1.0, 2.0, 3.0), 0.0, "arm: validation/l1 is the same as base's with each of 3 seeds"),
        ((1.5, 2.5, 3.5), 0.5, "arm: validation/l1 differs by +0.5 from base with each of 3 seeds"),
    ],
)
def test_differences_without_any_spread_allow_no_verdict(arm: tuple[float, ...], mean: float, words: str) -> None:
    """Such as those of an arm whose setting makes no difference, or of a metric that no seed changes."""
    found = compare(by_seed(1.0, 2.0, 3.0), {"arm": by_seed(*arm)})["arm"]
    assert (found.mean, found.low, found.high) == (mean, None, None)
    assert found.verdict(False) == found.verdict(True) == "no spread"
    said = sentence("arm", "base", "validation/l1", found, False)
    assert said.startswith(words)
    assert "no spread to judge by" in said


@pytest.mark.parametrize("gain", [0.1, 1e-17])
def test_differences_that_are_the_same_but_for_rounding_count_as_the_same(gain: float) -> None:
    found = compare(by_seed(0.1, 0.2, 0.3), {"arm": by_seed(0.1 + gain, 0.1 + gain + 0.1, 0.3 + gain)})["arm"]
    assert found.verdict(False) == "no spread"


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    found = compare(by_seed(1.0), {"arm": by_seed(2.0)})["arm"]
    assert (found.low, found.high) == (None, None)
    assert found.verdict(False) == "too few seeds"
    said = sentence("arm", "base", "validation/l1", found, False)
    assert "differs by +1 from base (1 paired seed): no verdict" in said


def test_two_seeds_give_an_interval_and_no_verdict_however_far_it_is_from_zero() -> None:
    found = compare(by_seed(1.0, 2.0), {"arm": by_seed(2.0, 3.001)})["arm"]
    assert found.low > 0
    assert found.verdict(False) == found.verdict(True) == "too few seeds"
    assert "2 paired seeds): no verdict with fewer than 3 seeds" in sentence("arm", "base", "l1", found, False)


@pytest.mark.parametrize("lost", [(1.0, math.nan, 3.0), (1.0, math.inf, 3.0), (-math.inf, math.inf, 3.0)])
def test_a_figure_that_is_not_finite_allows_no_verdict_and_leaves_other_arms_alone(lost: tuple[float, ...]) -> None:
    """Such as that of a training that diverged."""
    found = compare(by_seed(1.0, 2.0, 3.0), {"lost": by_seed(*lost), "arm": by_seed(2.0, 3.1, 4.0)})
    assert found["lost"].verdict(False) == found["lost"].verdict(True) == "not finite"
    assert "cannot be compared" in sentence("lost", "base", "validation/l1", found["lost"], False)
    assert found["arm"].verdict(False) == "worse"


def test_which_direction_is_better_is_the_metrics() -> None:
    higher = compare(by_seed(1.0, 2.0, 3.0), {"arm": by_seed(2.0, 3.01, 4.0)})["arm"]
    assert (higher.verdict(False), higher.verdict(True)) == ("worse", "better")


def test_a_large_effect_is_found() -> None:
    random = np.random.default_rng(3)
    found = 0
    for _ in range(200):
        seeds = random.normal(size=5)
        base, arm = by_seed(*(seeds + 0.1 * random.normal(size=5))), by_seed(*(seeds + 1 + 0.1 * random.normal(size=5)))
        found += compare(base, {"arm": arm})["arm"].verdict(False) == "worse"
    assert found > 195


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        ((1.2, 2.19, 3.21), "no-skips is worse than skips: validation/l1 differs by +0.2 (95 % interval +0.1752 to"),
        ((0.8, 1.81, 2.79), "no-skips is better than skips: validation/l1 differs by -0.2 (95 % interval -0.2248 to"),
        ((1.2, 1.8, 3.1), "No difference shown between no-skips and skips: validation/l1 differs by +0.03333"),
    ],
)
def test_the_sentence_says_what_the_interval_allows(arm: tuple[float, ...], words: str) -> None:
    difference = compare(by_seed(1.0, 2.0, 3.0), {"no-skips": by_seed(*arm)})["no-skips"]
    said = sentence("no-skips", "skips", "validation/l1", difference, False)
    assert said.startswith(words)
    assert said.endswith("3 paired seeds).")


@pytest.mark.parametrize(
    ("smallest", "verdict"),
    [(None, "no difference shown"), (0.2, "no difference shown"), (0.3, "no relevant difference")],
)
def test_an_interval_within_the_smallest_difference_that_matters_shows_that_there_is_none(
    smallest: float | None, verdict: str
) -> None:
    """Differences 0.1, 0, -0.1: the mean 0, and an interval of 0.248 to either side."""
    arm = compare(by_seed(1, 2, 3), {"arm": by_seed(1.1, 2, 2.9)})["arm"]
    assert arm.verdict(True, smallest) == arm.verdict(False, smallest) == verdict
    if verdict == "no relevant difference":
        said = sentence("arm", "base", "l1", arm, False, smallest)
        assert said.startswith("arm and base differ by no more than 0.3: l1 differs by ")


def test_a_difference_is_one_also_where_it_is_smaller_than_what_matters() -> None:
    arm = compare(by_seed(1, 2, 3), {"arm": by_seed(1.2, 2.19, 3.21)})["arm"]
    assert arm.verdict(False, 5.0) == "worse"


def test_looks_divide_the_error_as_arms_do() -> None:
    scores = by_seed(10, 20, 30), {"arm": by_seed(11, 22, 33)}
    six = {**scores[1], **{str(number): by_seed(0) for number in range(5)}}
    assert compare(*scores, looks=6)["arm"] == compare(scores[0], six)["arm"]


def images(values) -> dict[str, float]:
    return {f"image {number}": float(value) for number, value in enumerate(values)}


def test_a_bootstrap_over_images_against_scipy():
    rng = np.random.default_rng(0)
    baseline = {seed: rng.normal(size=40) for seed in (0, 1)}
    arm = {seed: rng.normal(0.3, size=40) for seed in (1, 0, 2)}
    found = over_images({s: images(v) for s, v in baseline.items()}, {s: images(v) for s, v in arm.items()})
    differences = np.mean([np.subtract(arm[seed], baseline[seed]) for seed in (0, 1)], axis=0)
    expected = stats.bootstrap((differences,), np.mean, method="percentile", rng=1).confidence_interval
    assert (found.images, found.n) == (40, 2)
    assert found.mean == pytest.approx(differences.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)


def test_images_that_all_differ_alike_leave_no_interval():
    assert over_images({0: images([1, 2])}, {0: images([1.5, 2.5])}) == OverImages(0.5, 0.5, 0.5, 2, 1)


def test_only_images_that_all_have_are_compared():
    assert over_images({0: images([1, 2])}, {1: images([1, 2])}) is None
    assert over_images({0: images([1])}, {0: images([2])}) is None
    assert over_images({0: {"a": 1.0, "b": 2.0}}, {0: {"c": 1.0, "d": 2.0}}) is None
    assert over_images({0: images([1, 2])}, {0: images([1, 2, 3])}).images == 2
    assert over_images({0: images([1, 2, 3])}, {0: {"image 2": 5.0, "image 0": 1.0}}).mean == 1.0


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_images_whose_metric_is_not_finite_leave_no_number(odd: float):
    """Such as the PSNR of an image that is hit exactly, here by either side once."""
    found = over_images({0: images([1, odd]), 1: images([1, 2])}, {0: images([1, 2]), 1: images([1, odd])})
    assert not math.isfinite(found.mean)


@pytest.mark.parametrize("values", [(1.0, math.nan), (1.0, math.inf), (-math.inf, math.inf), (1.7e308, 1.7e308)])
def test_what_is_not_finite_has_a_deviation_that_is_not_finite_either(values):
    found = mean_and_deviation(values)
    assert not math.isfinite(found.mean)
    assert math.isnan(found.deviation)
