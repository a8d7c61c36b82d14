"""Intervals cover the truth as often as they say, in simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from genlab.tools.intervals import mean_interval, paired_interval

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

SCORES: dict[str, tuple[Draw, float]] = {
    "as L1 is": (lambda rng, n: rng.gamma(2, size=n), 2.0),
    "as SSIM is": (lambda rng, n: rng.beta(8, 2, size=n), 0.8),
    "as PSNR is, some perfect": (
        lambda rng, n: np.where(rng.random(n) < 0.05, 100, rng.normal(25, 4, n)),
        28.75,
    ),
    "heavy tails on one side": (lambda rng, n: rng.lognormal(size=n), math.exp(0.5)),
}


@pytest.mark.parametrize("name", SCORES)
def test_a_bootstrap_of_100_images_covers_the_truth(name: str):
    draw, truth = SCORES[name]
    rng = np.random.default_rng(1)
    found = [mean_interval(draw(rng, 100).tolist()) for _ in range(120)]
    covered = sum(interval.low <= truth <= interval.high for interval in found)
    assert {interval.method for interval in found} == {"bootstrap"}
    # Within three standard errors of 95 %: wrong by 6 points would show.
    assert 108 <= covered <= 120


def test_fewer_images_have_students_interval():
    values = np.random.default_rng(0).normal(3, 2, 20)
    expected = ttest_1samp(values, 0).confidence_interval(0.9)
    found = mean_interval(values.tolist(), level=0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert (found.n, found.method, found.mean) == (20, "t", pytest.approx(values.mean()))


def test_an_interval_is_as_skewed_as_the_values_and_repeatable():
    values = np.random.default_rng(0).lognormal(size=150).tolist()
    found = mean_interval(values)
    assert found.high - found.mean > 1.1 * (found.mean - found.low)
    assert found == mean_interval(values)
    wider = mean_interval(values, level=0.99)
    assert wider.low < found.low < found.mean < found.high < wider.high


def test_no_end_is_nearer_than_students():
    values = np.random.default_rng(0).standard_t(3, size=150)
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    found = mean_interval(values.tolist())
    assert found.method == "bootstrap"
    assert found.low <= expected.low + 1e-12
    assert found.high >= expected.high - 1e-12


@pytest.mark.parametrize("values", [[], [1.0], [0.1 + 0.2, 0.3] * 80, [1.0, math.nan, 2.0], [1.0, math.inf, 3.0]])
def test_what_has_no_spread_or_is_not_finite_has_no_interval(values):
    assert mean_interval(values) is None


def test_where_most_resamples_have_no_spread_it_is_students():
    assert mean_interval([0.0] * 199 + [1.0]).method == "t"


def test_a_difference_is_over_the_images_that_both_have():
    rng = np.random.default_rng(0)
    hardness = rng.gamma(2, size=130)
    baseline = {f"{number}.png": value for number, value in enumerate(hardness)}
    values = {f"{number}.png": value - 0.1 + 0.05 * rng.normal() for number, value in enumerate(hardness[:120])}
    found = paired_interval({**values, "other.png": 9.0}, baseline)
    assert (found.n, found.method) == (120, "bootstrap")
    assert -0.12 < found.low < found.mean < found.high < -0.08
    assert paired_interval(values, {}) is None
