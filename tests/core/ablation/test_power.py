"""Detectable differences against SciPy's noncentral t, by simulation, and as ranges of what a few seeds know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from genlab.ablation.power import (
    MOST_SEEDS,
    Between,
    PowerEstimate,
    detectable_ratio,
    deviation_interval,
    seeds_needed,
)
from genlab.ablation.sequential import SeedSchedule
from genlab.ablation.statistics import compare

FIXED = SeedSchedule([0, 1, 2], [3], is_sequential=False)


def estimate(
    *arms: tuple[float, ...], smallest: float | None = None, schedule: SeedSchedule = FIXED, seeds: int = 5
) -> PowerEstimate:
    """From arms' differences from a baseline; a training of an arm takes 20 s and 40 s, of the baseline 10 s."""
    scores = {f"arm{number}": dict(enumerate(values)) for number, values in enumerate(arms)}
    schedule = SeedSchedule(schedule.seeds, schedule.looks, schedule.is_sequential, smallest)
    seconds = {arm: [20.0, 40.0] for arm in scores} | {"base": [10.0]}
    return PowerEstimate(dict.fromkeys(range(seeds), 0.0), scores, seconds, "base", schedule)


def three(seeds: int) -> int:
    """Intervals of three arms and one look."""
    return 3


@pytest.mark.parametrize("n", [3, 5, 20, 200])
@pytest.mark.parametrize("parts", [1, 4, 28])
def test_the_detectable_difference_has_the_power_of_scipys_noncentral_t(n: int, parts: int) -> None:
    critical = stats.t.ppf(1 - 0.05 / 2 / parts, n - 1)
    noncentrality = detectable_ratio(n, parts) * math.sqrt(n)
    assert stats.nct.sf(critical, n - 1, noncentrality) == pytest.approx(0.8, abs=1e-5)


def test_a_textbook_figure() -> None:
    """With 34 pairs a paired t test shows a difference of half a standard deviation with a power of 80 %."""
    assert seeds_needed(0.5, lambda seeds: 1, 3) == 34
    assert detectable_ratio(34, 1) <= 0.5 < detectable_ratio(33, 1)


def test_so_many_seeds_show_the_difference_in_four_of_five_simulated_ablations() -> None:
    random = np.random.default_rng(0)
    n, count = 6, 4000
    rows = random.normal(detectable_ratio(n, 2), 1, size=(count, n)).tolist()
    baseline, other = dict.fromkeys(range(n), 0.0), {"other": dict[int, float]()}
    found = [compare(baseline, {"arm": dict(enumerate(row)), **other})["arm"].verdict(False) for row in rows]
    low, high = stats.binom.interval(0.999, count, 0.8)
    assert low <= found.count("worse") <= high


def test_the_interval_of_the_spread_by_hand_and_as_often_as_it_says() -> None:
    """Two seeds: chi-square with 1 degree of freedom is below 0.0158 and above 2.7055 in a tenth of the cases each."""
    assert deviation_interval(1.0, 2) == pytest.approx((2.7055**-0.5, 0.0157908**-0.5), rel=1e-4)
    deviations = np.random.default_rng(1).normal(size=(4000, 4)).std(axis=1, ddof=1)
    inside = sum(low <= 1 <= high for low, high in (deviation_interval(float(each), 4) for each in deviations))
    low, high = stats.binom.interval(0.999, 4000, 0.8)
    assert low <= inside <= high


@pytest.mark.parametrize("ratio", [0.12, 0.3, 1.0, 5.0, 1000.0])
def test_the_seeds_that_are_needed_are_the_fewest(ratio: float) -> None:
    needed = seeds_needed(ratio, three, 3)
    assert needed is not None
    assert detectable_ratio(needed, 3) <= ratio
    assert needed == 3 or detectable_ratio(needed - 1, 3) > ratio
    assert seeds_needed(ratio, three, 4) == max(needed, 4)


def test_more_seeds_than_are_counted_have_no_number() -> None:
    assert seeds_needed(0.01, three, 3) is None


def test_more_seeds_than_planned_take_more_looks_which_count_too() -> None:
    """So the number that is told is enough for an ablation that is planned with it."""
    planned = SeedSchedule(range(10), range(4, 11), is_sequential=True)
    assert [planned.looks_with(seeds) for seeds in (4, 10, 11, 20)] == [7, 7, 8, 17]
    arm = estimate((-1.0, 1.0) * 2, smallest=0.7, schedule=planned).arms["arm0"]
    assert arm.interval and arm.seeds and arm.seeds.high and arm.seeds.high > 10
    needed = int(arm.seeds.high)
    longer = SeedSchedule(range(needed), range(4, needed + 1), is_sequential=True)
    exact = estimate((-1.0, 1.0) * 2, smallest=0.7, schedule=longer).arms["arm0"]
    assert exact.seeds and exact.seeds.high == needed


def test_every_figure_is_a_range_and_more_seeds_narrow_it() -> None:
    """Differences of -1 and 1, once, twice and so on have about the same spread."""
    widths = []
    for pairs in (1, 2, 4):
        arm = estimate((-1.0, 1.0) * pairs, smallest=1.0, seeds=2 * pairs).arms["arm0"]
        assert arm.n == 2 * pairs
        assert arm.interval and arm.seeds and arm.seconds
        low, high = arm.detectable[10]
        assert low < arm.deviation * detectable_ratio(10, 1) < high
        ends = [seeds_needed(1 / end, lambda seeds: 1, 3) for end in arm.interval]
        assert [arm.seeds.low, arm.seeds.high] == ends
        # Thirty seconds on average, and the baseline's ten.
        assert arm.seconds == Between(40 * arm.seeds.low, 40 * arm.seeds.high)
        widths.append(high / low)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == pytest.approx(13.1, abs=0.05)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((), "too few seeds"),
        ((1.0,), "too few seeds"),
        ((1.0, 1.0, 1.0), "no spread"),
        ((1.0, math.nan, 2.0), "not finite"),
        ((1.0, math.inf), "not finite"),
    ],
)
def test_nothing_is_known_below_two_seeds_without_a_spread_or_of_what_is_not_finite(
    values: tuple[float, ...], why: str
) -> None:
    arm = estimate(values, (1.0, 2.0), smallest=1.0).arms["arm0"]
    assert (arm.n, arm.deviation, arm.interval, arm.seeds, arm.seconds) == (len(values), None, None, None, None)
    assert not arm.detectable
    assert arm.unknown == why
    assert estimate(values, (1.0, 2.0)).arms["arm1"].detectable


def test_seeds_that_one_of_them_lacks_do_not_count() -> None:
    assert estimate((1.0, 2.0, 5.0), seeds=2).arms["arm0"].n == 2


def test_a_range_without_an_end_says_so() -> None:
    arm = estimate((-1.0, 1.0), smallest=0.1).arms["arm0"]
    assert arm.seeds and arm.seconds
    assert arm.seeds.low < MOST_SEEDS
    assert arm.seeds.high is None
    assert arm.seconds.high is None
    assert estimate((-1.0, 1.0), smallest=1e-9).arms["arm0"].seeds == Between(MOST_SEEDS, None)


def test_looks_and_arms_make_more_seeds_necessary() -> None:
    looks = SeedSchedule(range(10), range(4, 11), is_sequential=True)
    arm = (-1.0, 1.0, -1.0, 1.0)
    fixed, more = (estimate(arm, smallest=3.0, schedule=schedule).arms["arm0"] for schedule in (FIXED, looks))
    assert fixed.detectable[10].low < more.detectable[10].low
    assert more.seeds and more.seeds.low >= 4
    assert estimate(arm, arm).arms["arm0"].detectable[10].low > fixed.detectable[10].low
    assert estimate(arm, schedule=looks).sizes == [5, 10, 20]
    assert estimate(arm).sizes == [3, 5, 10, 20]
