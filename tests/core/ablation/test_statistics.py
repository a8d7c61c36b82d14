"""Statistics against scipy, worked by hand, and on numbers without an effect."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from genlab.ablation.statistics import Difference, OverImages, compare, holm, mean_and_deviation, over_images, sentence


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
    assert found.n == 3


def test_the_same_as_scipys_paired_test() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        n = int(random.integers(2, 9))
        baseline, arm = random.normal(size=n), random.normal(0.5, 2, size=n)
        found = compare(by_seed(*baseline), {"arm": by_seed(*arm)})["arm"]
        expected = stats.ttest_rel(arm, baseline)
        interval = expected.confidence_interval(0.95)
        assert found.p == pytest.approx(expected.pvalue)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


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
    ("arm", "mean", "p", "verdict"),
    [
        ((1.0, 2.0, 3.0), 0.0, 1.0, "no difference shown"),
        ((1.5, 2.5, 3.5), 0.5, 0.0, "worse"),
        ((0.5, 1.5, 2.5), -0.5, 0.0, "better"),
    ],
)
def test_differences_without_any_spread(arm: tuple[float, ...], mean: float, p: float, verdict: str) -> None:
    found = compare(by_seed(1.0, 2.0, 3.0), {"arm": by_seed(*arm)})["arm"]
    assert (found.mean, found.low, found.high, found.p) == (mean, mean, mean, p)
    assert found.verdict(False) == verdict


def test_differences_that_are_the_same_but_for_rounding_count_as_the_same() -> None:
    found = compare(by_seed(0.1, 0.2, 0.3), {"arm": by_seed(0.1 + 0.1, 0.2 + 0.1, 0.3 + 0.1)})["arm"]
    assert found.p == 0.0


def test_one_seed_gives_no_interval() -> None:
    found = compare(by_seed(1.0), {"arm": by_seed(2.0)})["arm"]
    assert (found.low, found.high, found.p, found.adjusted) == (None, None, None, None)
    assert found.verdict(False) == "one seed"
    assert "no confidence interval" in sentence("arm", "base", "validation/l1", found, False)


def test_a_figure_that_is_no_number_allows_no_verdict_and_leaves_other_arms_alone() -> None:
    """Such as that of a training that diverged."""
    found = compare(by_seed(1.0, 2.0, 3.0), {"lost": by_seed(1.0, math.nan, 3.0), "arm": by_seed(2.0, 3.1, 4.0)})
    assert found["lost"].verdict(False) == found["lost"].verdict(True) == "no number"
    assert "cannot be compared" in sentence("lost", "base", "validation/l1", found["lost"], False)
    assert found["arm"].adjusted == found["arm"].p
    assert found["arm"].verdict(False) == "worse"


def test_holms_adjustment_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, then 0.03 x 2 is held at 0.06, and 0.04 x 1 may not be less than that."""
    adjusted = holm({"c": 0.03, "a": 0.01, "d": 0.04, "b": 0.02})
    assert adjusted == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}


def test_which_direction_is_better_is_the_metrics() -> None:
    higher = compare(by_seed(1.0, 2.0, 3.0), {"arm": by_seed(2.0, 3.01, 4.0)})["arm"]
    assert (higher.verdict(False), higher.verdict(True)) == ("worse", "better")


def test_numbers_without_an_effect_are_called_different_one_time_in_twenty() -> None:
    """Of 4,000 comparisons 5 % are 200; outside of 155 to 250 is less likely than 0.1 %."""
    random = np.random.default_rng(1)
    called = 0
    for _ in range(4000):
        seeds = random.normal(size=5)
        base, arm = (by_seed(*(seeds + random.normal(size=5))) for _ in range(2))
        called += compare(base, {"arm": arm})["arm"].verdict(False) != "no difference shown"
    assert 155 < called < 250


def test_any_of_several_arms_without_an_effect_is_called_different_no_more_often() -> None:
    random = np.random.default_rng(2)
    called = 0
    for _ in range(2000):
        base, *others = (by_seed(*random.normal(size=5)) for _ in range(5))
        found = compare(base, {str(number): arm for number, arm in enumerate(others)})
        called += any(each.verdict(False) != "no difference shown" for each in found.values())
    assert called < 130


def test_a_large_effect_is_found() -> None:
    random = np.random.default_rng(3)
    found = 0
    for _ in range(200):
        seeds = random.normal(size=5)
        base, arm = by_seed(*(seeds + 0.1 * random.normal(size=5))), by_seed(*(seeds + 1 + 0.1 * random.normal(size=5)))
        found += compare(base, {"arm": arm})["arm"].verdict(False) == "worse"
    assert found > 195


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            Difference(0.19, 0.17, 0.21, 0.0001, 0.0002, 5),
            "no-skips is worse than skips: validation/l1 differs by +0.19",
        ),
        (Difference(-0.1, -0.2, -0.05, 0.01, 0.03, 5), "no-skips is better than skips: validation/l1 differs by -0.1"),
        (Difference(0.01, -0.02, 0.04, 0.3, 0.6, 5), "No difference shown between no-skips and skips"),
    ],
)
def test_the_sentence_says_what_is_allowed(difference: Difference, words: str) -> None:
    said = sentence("no-skips", "skips", "validation/l1", difference, False)
    assert said.startswith(words)
    assert "5 paired seeds" in said
    assert ("< 0.001" in said) == (difference.adjusted == 0.0002)


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
    assert math.isnan(over_images({0: images([1, math.nan])}, {0: images([1, 2])}).mean)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_no_number_has_a_spread_that_is_none_either(odd):
    found = mean_and_deviation([1.0, odd])
    assert not math.isfinite(found.mean)
    assert math.isnan(found.deviation)
