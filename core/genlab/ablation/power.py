"""Power of paired comparisons: which differences a number of seeds shows. Importing this imports no torch.

The differences between an arm and the baseline over a few seeds estimate their standard deviation, on which all else
depends, and the estimate may be far off: with two seeds by a factor of thirteen between the ends of its interval. So
every figure is a range, of what the two ends give. Differences are taken to be about normally distributed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean
from typing import Literal, NamedTuple

from genlab.ablation.sequential import SeedSchedule
from genlab.ablation.statistics import MIN_SEEDS, critical_t, mean_and_deviation, paired_difference

POWER = 0.8
"""Probability that a difference of the detectable size is shown."""
SPREAD_CONFIDENCE = 0.8
"""Confidence of the interval of the standard deviation."""
MOST_SEEDS = 1000
"""More seeds than this are not counted."""
SHOWN_SEEDS = (5, 10, 20)
"""Numbers of seeds that are shown beside the planned one."""


class Ends(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


class Between(NamedTuple):
    """A range; `high` is None where it reaches farther than is counted."""

    low: float
    high: float | None


def deviation_interval(deviation: float, n: int) -> Ends:
    """Confidence interval of the standard deviation of a normal distribution.

    Args:
        deviation: that of `n` values, over n - 1.
        n: at least 2.
    """
    from scipy.special import chdtri

    tail = (1 - SPREAD_CONFIDENCE) / 2
    # chdtri takes the probability of what lies above.
    low, high = (deviation * math.sqrt((n - 1) / chdtri(n - 1, above)) for above in (tail, 1 - tail))
    return Ends(low, high)


@cache
def detectable_ratio(n: int, parts: int) -> float:
    """The true difference, in standard deviations of the differences, that `n` paired seeds show with `POWER`.

    It is shown if its interval excludes zero, with the error of 5 % divided over `parts` intervals. Student's t of
    such differences has a noncentral t distribution, whose noncentrality is the ratio times the square root of `n`.
    """
    from scipy.special import nctdtrinc

    return float(nctdtrinc(n - 1, 1 - POWER, critical_t(n, parts))) / math.sqrt(n)


def seeds_needed(ratio: float, parts: Callable[[int], int], fewest: int) -> int | None:
    """The fewest paired seeds that show a true difference of so many standard deviations; None above `MOST_SEEDS`.

    Args:
        ratio: the difference.
        parts: how many intervals the error is divided over, by the number of seeds.
        fewest: no fewer than this.
    """
    if detectable_ratio(MOST_SEEDS, parts(MOST_SEEDS)) > ratio:
        return None
    low, high = fewest - 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detectable_ratio(middle, parts(middle)) <= ratio else (middle, high)
    return high


@dataclass(frozen=True)
class ArmPower:
    """Power of one arm's comparison with the baseline.

    Args:
        n: number of seeds that both have finished.
        deviation: standard deviation of their differences; None with fewer than two, without a spread, and if one is
            not finite.
        interval: its confidence interval.
        detectable: true differences that are shown, by the number of seeds; empty without a deviation.
        seeds: how many show the smallest difference that matters, if there is one.
        seconds: how long the trainings of that many seeds of the arm take, and of the baseline.
        unknown: why there is no deviation.
    """

    n: int
    deviation: float | None = None
    interval: Ends | None = None
    detectable: Mapping[int, Ends] = field(default_factory=dict[int, Ends])
    seeds: Between | None = None
    seconds: Between | None = None
    unknown: Literal["too few seeds", "no spread", "not finite"] | None = None


@dataclass(frozen=True)
class PowerEstimate:
    """Power of all comparisons of an ablation, from the trials that are finished.

    Args:
        baseline_scores: the metric by seed.
        scores: likewise, by the name of each other arm.
        seconds: how long trainings took, by arm.
        baseline: the baseline's name.
        schedule: what is planned.
    """

    baseline_scores: Mapping[int, float]
    scores: Mapping[str, Mapping[int, float]]
    seconds: Mapping[str, Sequence[float]]
    baseline: str
    schedule: SeedSchedule

    @property
    def sizes(self) -> list[int]:
        """Numbers of seeds that are shown."""
        planned = len(self.schedule.seeds)
        return sorted({*SHOWN_SEEDS, planned} if planned >= MIN_SEEDS else SHOWN_SEEDS)

    @property
    def arms(self) -> dict[str, ArmPower]:
        """Power by the arm's name."""
        return {arm: self._arm(arm, scores) for arm, scores in self.scores.items()}

    def parts(self, seeds: int) -> int:
        """Number of intervals that are to hold together where an arm may get so many seeds: arms times looks."""
        return len(self.scores) * self.schedule.looks_with(seeds)

    def _arm(self, arm: str, scores: Mapping[int, float]) -> ArmPower:
        shared = {seed: score for seed, score in scores.items() if seed in self.baseline_scores}
        n = len(shared)
        if n < 2:
            return ArmPower(n, unknown="too few seeds")
        difference = paired_difference(self.baseline_scores, shared, self.parts(n))
        if difference.low is None:
            return ArmPower(n, unknown="no spread" if math.isfinite(difference.mean) else "not finite")
        deviation = mean_and_deviation(list(difference.by_seed.values())).deviation
        assert deviation
        interval = deviation_interval(deviation, n)
        ratios = {size: detectable_ratio(size, self.parts(size)) for size in self.sizes}
        detectable = {size: Ends(interval.low * ratio, interval.high * ratio) for size, ratio in ratios.items()}
        seeds = self._seeds(interval)
        return ArmPower(n, deviation, interval, detectable, seeds, seeds and self._seconds(arm, seeds))

    def _seeds(self, interval: Ends) -> Between | None:
        if self.schedule.smallest is None:
            return None
        fewest = self.schedule.looks[0] if self.schedule.is_sequential else MIN_SEEDS
        low, high = (seeds_needed(self.schedule.smallest / end, self.parts, fewest) for end in interval)
        return Between(MOST_SEEDS if low is None else low, high)

    def _seconds(self, arm: str, seeds: Between) -> Between:
        each = fmean(self.seconds[arm]) + fmean(self.seconds[self.baseline])
        return Between(seeds.low * each, seeds.high and seeds.high * each)
