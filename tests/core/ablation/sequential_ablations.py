"""Simulation of ablations that add seeds until arms are settled: errors, power and costs.

The decisions of all ablations are computed at once; a test compares them with those of the code that decides for real.
All that the page says, by hand:

    python -m tests.core.ablation.sequential_ablations --count 100000
"""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tests.core.ablation.null_ablations import ARMS, NOISES, Noise, most

from genlab.ablation.sequential import SeedSchedule
from genlab.ablation.statistics import critical_t

SCHEDULE = SeedSchedule(range(10), range(4, 11), is_sequential=True)
"""Looks after each seed from the fourth to the tenth."""
FIXED = SeedSchedule(range(10), [10], is_sequential=False)
"""One look at as many seeds as the others can have."""


def _heavy(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Student's t with three degrees of freedom: a seed far off now and then, on either side."""
    return random.standard_t(3, size=shape) / 3**0.5


def _collapsing_arms(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Normal noise, and arms of which one seed of twenty collapses, by 100 standard deviations, around a mean of 0."""
    noise = random.normal(size=shape)
    noise[:, 1:] += 100 * ((random.random(size=noise[:, 1:].shape) < 0.05) - 0.05)
    return noise


def _collapsing(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The same collapses of the arms and the baseline, each of its own seeds."""
    return random.normal(size=shape) + 100 * (random.random(size=shape) < 0.05)


ALL_NOISES: Mapping[str, Noise] = {
    **NOISES,
    "heavy tails": _heavy,
    "collapses, all alike": _collapsing,
    "collapses, arms alone": _collapsing_arms,
}


@dataclass(frozen=True)
class Outcomes:
    """Ends of simulated ablations of `ARMS` arms with one true difference, by ablation and arm.

    Args:
        seeds: number of seeds of the arm's last look.
        low: lower end of its interval there.
        high: its upper end.
        true: the true difference.
        smallest: the smallest difference that matters; infinity without one.
    """

    seeds: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    true: float
    smallest: float

    @property
    def is_different(self) -> NDArray[np.bool_]:
        """True for arms that are called better or worse."""
        return (self.low > 0) | (self.high < 0)

    @property
    def is_alike(self) -> NDArray[np.bool_]:
        """True for arms that are called to make no relevant difference."""
        is_within = (-self.smallest <= self.low) & (self.high <= self.smallest) & math.isfinite(self.smallest)
        return ~self.is_different & is_within

    @property
    def called(self) -> int:
        """Number of ablations in which any arm is called better or worse."""
        return _count_any(self.is_different)

    @property
    def alike(self) -> int:
        """Number of ablations in which any arm is called to make no relevant difference."""
        return _count_any(self.is_alike)

    @property
    def missed(self) -> int:
        """Number of ablations in which any interval at the end leaves out the true difference."""
        return _count_any((self.low > self.true) | (self.high < self.true))


def _count_any(is_so: NDArray[np.bool_]) -> int:
    return int(is_so.any(axis=1).sum())


def draw_scores(count: int, noise: Noise, schedule: SeedSchedule, true: float, seed: int = 0) -> NDArray[np.float64]:
    """Scores by ablation, arm (the baseline first) and seed; what is common to a seed's runs drops out anyway."""
    scores = noise(np.random.default_rng(seed), (count, 1 + ARMS, len(schedule.seeds)))
    scores[:, 1:] += true
    return scores


def settle(scores: NDArray[np.float64], schedule: SeedSchedule, true: float = 0.0) -> Outcomes:
    """Decide for all ablations at once, as `find_standings` and `compare` do for each; no figure may be odd."""
    differences = scores[:, 1:] - scores[:, :1]
    smallest = math.inf if schedule.smallest is None else schedule.smallest
    shape = differences.shape[:2]
    ends = Outcomes(np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), true, smallest)
    is_open = np.ones(shape, np.bool_)
    for looked in schedule.looks:
        mean = differences[..., :looked].mean(axis=-1)
        error = differences[..., :looked].std(axis=-1, ddof=1) / looked**0.5
        half = critical_t(looked, ARMS * len(schedule.looks)) * error
        found = Outcomes(np.full(shape, looked), mean - half, mean + half, true, smallest)
        for name in ("seeds", "low", "high"):
            np.copyto(getattr(ends, name), getattr(found, name), where=is_open)
        is_open &= ~(found.is_different | found.is_alike)
    return ends


def simulate_settling(
    count: int, noise: Noise, schedule: SeedSchedule = SCHEDULE, difference: float = 0.0, seed: int = 0
) -> Outcomes:
    """Judge ablations whose arms all have the same true difference from the baseline that they share.

    Args:
        count: number of ablations.
        noise: of each score.
        schedule: the looks; its smallest difference is in the unit of `difference`.
        difference: in standard deviations of a difference over the seeds, where the noise is normal.
        seed: of the random numbers.
    """
    true = difference * 2**0.5
    if schedule.smallest is not None:
        schedule = replace(schedule, smallest=schedule.smallest * 2**0.5)
    return settle(draw_scores(count, noise, schedule, true, seed), schedule, true)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count

    def say(words: str) -> None:
        print(words, flush=True)  # noqa: T201

    say(
        f"{count} ablations of {ARMS} arms and a baseline; at most {most(count)} errors are 5 % (99.9 % binomial bound)"
    )
    for name, noise in ALL_NOISES.items():
        found, fixed = simulate_settling(count, noise), simulate_settling(count, noise, FIXED)
        say(
            f"no difference, {name}: any verdict in {found.called} ({found.called / count:.2%}), "
            f"any interval missed in {found.missed / count:.2%}, {found.seeds.mean():.2f} seeds; "
            f"with 10 fixed any verdict in {fixed.called / count:.2%}"
        )
    normal = NOISES["normal"]
    bounded = replace(SCHEDULE, smallest=1.5)
    found = simulate_settling(count, normal, bounded, 1.5)
    say(f"difference 1.5 = smallest: any arm called alike in {found.alike / count:.2%}")
    for difference in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        settled, fixed = (simulate_settling(count, normal, each, difference) for each in (SCHEDULE, FIXED))
        within = simulate_settling(count, normal, bounded, difference)
        say(
            f"difference {difference}: called different {_share(settled)} with {settled.seeds.mean():.1f} seeds, "
            f"{_share(fixed)} with 10 fixed; with smallest 1.5: different {_share(within)}, "
            f"alike {within.is_alike.mean():.0%}, {within.seeds.mean():.1f} seeds"
        )


def _share(found: Outcomes) -> str:
    return f"{found.is_different.mean():.0%}"


if __name__ == "__main__":
    main()
