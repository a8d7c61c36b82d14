"""Paired statistics with confidence intervals: each arm against the baseline, over seeds. Imports no torch.

Seeds are paired: with the same seed every arm sees the same pairs in the same order, augmented alike, and starts from
equal weights wherever name and shape agree. So each seed gives one difference, and what is common to a seed's runs
drops out. The confidence interval is Student's t interval of these differences; where several arms share one
baseline, their p values are adjusted (Holm 1979), so that the chance of calling any of them different by mistake stays
at 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

CONFIDENCE = 0.95

PerImage = Mapping[int, Mapping[str, float]]
Verdict = Literal["better", "worse", "no difference shown", "one seed", "no number"]


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation (None for one seed) and number of seeds of an arm's metric."""

    mean: float
    deviation: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """Difference of an arm from the baseline, over the seeds that both have.

    Args:
        mean: the mean of the differences.
        low: lower end of its 95 % confidence interval; None with one seed.
        high: its upper end.
        high: its upper end.
        p: probability of a mean at least as far from 0 if there is no difference.
        adjusted: the same, adjusted for the number of arms compared (Holm 1979).
        n: number of seeds that both have.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None
    n: int

    def verdict(self, higher_is_better: bool) -> Verdict:
        """Verdict on the arm against the baseline."""
        if not math.isfinite(self.mean):
            return "no number"
        if self.adjusted is None:
            return "one seed"
        if self.adjusted > 1 - CONFIDENCE:
            return "no difference shown"
        return "better" if (self.mean > 0) == higher_is_better else "worse"


@dataclass(frozen=True)
class OverImages:
    """Difference of an arm from the baseline, as far as it depends on which images were measured.

    Args:
        mean: the mean of the differences over images, each the mean over the seeds that both have.
        low: lower end of the 95 % bootstrap confidence interval.
        high: its upper end.
        images: number of images.
        n: number of seeds.
    """

    mean: float
    low: float
    high: float
    images: int
    n: int


def mean_and_deviation(values: Sequence[float]) -> Spread:
    """A metric over seeds, of which there is at least one."""
    mean = fmean(values)
    deviation = None if len(values) < 2 else stdev(values) if math.isfinite(mean) else math.nan
    return Spread(mean, deviation, len(values))


def compare(baseline: Mapping[int, float], arms: Mapping[str, Mapping[int, float]]) -> dict[str, Difference]:
    """Compare each arm with the baseline over the seeds that they share; arms that share none are left out.

    Args:
        baseline: the metric by seed.
        arms: likewise, by the arm's name, without the baseline.
    """
    paired = {
        name: [value - baseline[seed] for seed, value in values.items() if seed in baseline]
        for name, values in arms.items()
    }
    tests = {name: _t_test(differences) for name, differences in paired.items() if differences}
    adjusted = holm({name: p for name, (_, _, p) in tests.items() if p is not None})
    return {
        name: Difference(fmean(paired[name]), low, high, p, adjusted.get(name), len(paired[name]))
        for name, (low, high, p) in tests.items()
    }


def _t_test(differences: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Confidence interval of the mean and p value of its being 0; None for a single difference or a non-finite one.

    Equal differences have zero variance: the interval is that value.
    """
    if len(differences) < 2 or not all(map(math.isfinite, differences)):
        return None, None, None
    mean, deviation = fmean(differences), stdev(differences)
    if deviation <= 1e-12 * max(map(abs, differences)):
        return mean, mean, 1.0 if mean == 0 else 0.0
    from scipy.stats import ttest_1samp

    test: Any = ttest_1samp(differences, 0.0)
    interval = test.confidence_interval(CONFIDENCE)
    return float(interval.low), float(interval.high), float(test.pvalue)


def over_images(baseline: PerImage, arm: PerImage) -> OverImages | None:
    """Bootstrap over images (Efron 1979) with the runs held fixed: it does not cover the variance between seeds.

    Args:
        baseline: by seed, the metric of each image, by the image's identifier.
        arm: likewise.

    Returns:
        The difference and its interval; None where fewer than two images, or no seeds, are in common.
    """
    seeds = [seed for seed in arm if seed in baseline]
    images = [image for image in arm[seeds[0]] if _have(image, arm, baseline, seeds)] if seeds else []
    if len(images) < 2:
        return None
    differences = [fmean(arm[seed][image] - baseline[seed][image] for seed in seeds) for image in images]
    mean = fmean(differences)
    if not math.isfinite(mean) or stdev(differences) <= 1e-12 * max(map(abs, differences)):
        return OverImages(mean, mean, mean, len(differences), len(seeds))
    from scipy.stats import bootstrap

    found: Any = bootstrap((differences,), fmean, confidence_level=CONFIDENCE, method="percentile", rng=0)
    interval = found.confidence_interval
    return OverImages(mean, float(interval.low), float(interval.high), len(differences), len(seeds))


def _have(image: str, arm: PerImage, baseline: PerImage, seeds: Sequence[int]) -> bool:
    return all(image in arm[seed] and image in baseline[seed] for seed in seeds)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p values (Holm 1979): the k-th smallest of m times m + 1 - k, never below that of a smaller one."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(values, key=values.__getitem__)):
        largest = max(largest, min(1.0, values[name] * (len(values) - rank)))
        adjusted[name] = largest
    return adjusted


def sentence(arm: str, baseline: str, metric: str, difference: Difference, higher_is_better: bool) -> str:
    """The verdict as a sentence."""
    verdict, seeds = difference.verdict(higher_is_better), f"{difference.n} paired seeds"
    amount = f"{metric} differs by {_signed(difference.mean)}"
    if verdict == "no number":
        return f"{arm}: {metric} is not finite in one of its runs or of {baseline}'s, so they cannot be compared."
    if verdict == "one seed":
        return f"{arm}: {amount} from {baseline} with one seed: no confidence interval, and no conclusion."
    interval = f"95 % interval {_signed(difference.low)} to {_signed(difference.high)}, {seeds}"
    if verdict == "no difference shown":
        return f"No difference shown between {arm} and {baseline}: {amount} ({interval}, adjusted p {_p(difference)})."
    return f"{arm} is {verdict} than {baseline}: {amount} ({interval}, adjusted p {_p(difference)})."


def _signed(value: float | None) -> str:
    return "none" if value is None else f"{value:+.4g}"


def _p(difference: Difference) -> str:
    p = difference.adjusted
    return "none" if p is None else f"{p:.2g}" if p >= 0.001 or math.isclose(p, 0.001) else "< 0.001"
