"""Paired statistics with confidence intervals: each arm against the baseline, over seeds. Imports no torch.

Seeds are paired: with the same seed every arm sees the same pairs in the same order, augmented alike, and starts from
equal weights wherever name and shape agree. So each seed gives one difference, and what is common to a seed's runs
drops out. The confidence interval is Student's t interval of these differences. Where several arms share one baseline,
each interval is widened by Bonferroni's correction (Dunn 1961), so that with 95 % confidence all of them contain the
true difference. A verdict says whether the interval excludes zero, so the chance of calling any arm different by
mistake is at most 5 %. Where the differences are looked at several times, each look counts in the correction as an arm
does (`genlab.ablation.sequential`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any, Literal

from genlab.util.confidence import LEVEL

MIN_SEEDS = 3
"""Fewest paired seeds for a verdict."""
FEW_SEEDS = 5
"""With fewer paired seeds than this, a verdict comes with a caution."""

PerImage = Mapping[int, Mapping[str, float]]
Verdict = Literal[
    "better",
    "worse",
    "no relevant difference",
    "no difference shown",
    "too few seeds",
    "no spread",
    "not finite",
]


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
        by_seed: the arm's metric less the baseline's, by seed.
        mean: the mean of the differences.
        low: lower end of its confidence interval; None with one seed, with equal differences, and if one is not finite.
        high: its upper end.
    """

    by_seed: Mapping[int, float]
    mean: float
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        """Number of seeds that both have."""
        return len(self.by_seed)

    def verdict(self, higher_is_better: bool, smallest: float | None = None) -> Verdict:
        """Verdict on the arm against the baseline: what the interval excludes, or why there is no verdict.

        Args:
            higher_is_better: True if a positive difference is an improvement.
            smallest: the smallest difference that matters, in the metric's units; an interval that includes zero and
                lies within it on both sides shows that there is none.
        """
        if not math.isfinite(self.mean):
            return "not finite"
        if self.n < MIN_SEEDS:
            return "too few seeds"
        if self.low is None or self.high is None:
            return "no spread"
        if self.low <= 0 <= self.high:
            is_within = smallest is not None and -smallest <= self.low and self.high <= smallest
            return "no relevant difference" if is_within else "no difference shown"
        return "better" if (self.low > 0) == higher_is_better else "worse"


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
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return Spread(mean, None, n)
    deviation = math.dist(values, [mean] * n) / math.sqrt(n - 1) if math.isfinite(mean) else math.nan
    return Spread(mean, deviation, n)


def compare(
    baseline: Mapping[int, float], arms: Mapping[str, Mapping[int, float]], looks: int = 1
) -> dict[str, Difference]:
    """Compare each arm with the baseline over the seeds that they share; arms that share none are left out.

    Args:
        baseline: the metric by seed.
        arms: likewise, by the arm's name, without the baseline. All of them count for the correction, also those that
            are left out or not finite, so that an interval does not depend on how other arms came out.
        looks: how many times the differences are looked at, each with more seeds; the intervals of all of them hold
            together.
    """
    shared = {
        name: {seed: value for seed, value in values.items() if seed in baseline} for name, values in arms.items()
    }
    parts = len(arms) * looks
    return {name: paired_difference(baseline, values, parts) for name, values in shared.items() if values}


def paired_difference(baseline: Mapping[int, float], arm: Mapping[int, float], parts: int) -> Difference:
    """Difference of one arm from the baseline.

    Args:
        baseline: the metric by seed.
        arm: likewise, of at least one seed, all of which the baseline has.
        parts: number of intervals that are to hold together.
    """
    by_seed = {seed: value - baseline[seed] for seed, value in arm.items()}
    spread = mean_and_deviation(list(by_seed.values()))
    # Differences that are equal but for the rounding of the metrics have no spread either.
    rounding = 1e-12 * max(max(abs(value), abs(baseline[seed])) for seed, value in arm.items())
    if spread.deviation is None or not spread.deviation > rounding:
        return Difference(by_seed, spread.mean, None, None)
    half = critical_t(spread.n, parts) * spread.deviation / math.sqrt(spread.n)
    return Difference(by_seed, spread.mean, spread.mean - half, spread.mean + half)


@cache
def critical_t(n: int, parts: int) -> float:
    """Half the width of an interval of `n` paired seeds, in standard errors, with the error divided over `parts`."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 1 - (1 - LEVEL) / 2 / parts))


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
    differences = [
        mean_and_deviation([arm[seed][image] - baseline[seed][image] for seed in seeds]).mean for image in images
    ]
    spread = mean_and_deviation(differences)
    if not (spread.deviation or 0) > 1e-12 * max(map(abs, differences)):
        return OverImages(spread.mean, spread.mean, spread.mean, len(differences), len(seeds))
    from scipy.stats import bootstrap

    found: Any = bootstrap((differences,), fmean, confidence_level=LEVEL, method="percentile", rng=0)
    interval = found.confidence_interval
    return OverImages(spread.mean, float(interval.low), float(interval.high), len(differences), len(seeds))


def _have(image: str, arm: PerImage, baseline: PerImage, seeds: Sequence[int]) -> bool:
    return all(image in arm[seed] and image in baseline[seed] for seed in seeds)


def sentence(
    arm: str,
    baseline: str,
    metric: str,
    difference: Difference,
    higher_is_better: bool,
    smallest: float | None = None,
    most_seeds: int | None = None,
) -> str:
    """The verdict as a sentence.

    Args:
        arm: the arm's name.
        baseline: the baseline's.
        metric: the metric's.
        difference: the arm's.
        higher_is_better: True if a positive difference is an improvement.
        smallest: the smallest difference that matters.
        most_seeds: how many seeds it could have had, where seeds are added until it is settled.
    """
    verdict, evidence = difference.verdict(higher_is_better, smallest), _evidence(difference, most_seeds)
    amount = f"{metric} differs by {difference.mean:+.4g}"
    match verdict:
        case "not finite":
            return f"{arm}: {metric} is not finite in a run of it or of {baseline}, so they cannot be compared."
        case "too few seeds":
            return f"{arm}: {amount} from {baseline} ({evidence}): no verdict with fewer than {MIN_SEEDS} seeds."
        case "no spread":
            amount = f"{amount} from {baseline}" if difference.mean else f"{metric} is the same as {baseline}'s"
            return f"{arm}: {amount} with each of {difference.n} seeds: no verdict, as there is no spread to judge by."
        case "no relevant difference":
            return f"{arm} and {baseline} differ by no more than {smallest:.4g}: {amount} ({evidence})."
        case "no difference shown":
            return f"No difference shown between {arm} and {baseline}: {amount} ({evidence})."
        case "better" | "worse":
            return f"{arm} is {verdict} than {baseline}: {amount} ({evidence})."


def _evidence(difference: Difference, most_seeds: int | None) -> str:
    seeds = "1 paired seed" if difference.n == 1 else f"{difference.n} paired seeds"
    if most_seeds is not None:
        seeds = f"{difference.n} of at most {most_seeds} paired seeds"
    if difference.low is None or difference.high is None:
        return seeds
    return f"95 % interval {difference.low:+.4g} to {difference.high:+.4g}, {seeds}"
