"""Simulation of ablations that add seeds until arms are settled, decided as real ones are: errors, power and costs.

The tests simulate a few thousand; by hand, a hundred thousand of each kind:

    python -m tests.core.ablation.sequential_ablations --count 100000
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tests.core.ablation.null_ablations import ARMS, NOISES, Noise, most

from genlab.ablation.sequential import SeedSchedule, find_standings
from genlab.ablation.statistics import Difference, compare

SCHEDULE = SeedSchedule(range(10), range(4, 11), is_sequential=True)
"""Looks after each seed from the fourth to the tenth."""
FIXED = SeedSchedule(range(10), [10], is_sequential=False)
"""One look at as many seeds as the others can have."""
BLOCK = 10_000


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
    """Counts over simulated ablations of `ARMS` arms with one true difference.

    Args:
        count: number of ablations.
        called: those in which any arm is called better or worse.
        alike: those in which any arm is called to make no relevant difference.
        missed: those in which the interval of any arm at the end leaves out the true difference.
        verdicts: arms by their verdict.
        seeds: seeds of all arms.
    """

    count: int
    called: int
    alike: int
    missed: int
    verdicts: Counter[str]
    seeds: int

    @property
    def mean_seeds(self) -> float:
        """Seeds of an arm."""
        return self.seeds / self.count / ARMS


def simulate_settling(
    count: int, noise: Noise, schedule: SeedSchedule = SCHEDULE, difference: float = 0.0, seed: int = 0
) -> Outcomes:
    """Judge ablations whose arms all have the same true difference from the baseline that they share.

    Args:
        count: number of ablations.
        noise: of each score; what is due to a seed, and common to the arms, drops out.
        schedule: the looks.
        difference: in standard deviations of a difference over the seeds, where the noise is normal.
        seed: of the random numbers.
    """
    true = difference * 2**0.5
    if schedule.smallest is not None:
        schedule = replace(schedule, smallest=schedule.smallest * 2**0.5)
    called = alike = missed = seeds = 0
    verdicts: Counter[str] = Counter()
    for judged in _judged(count, noise, schedule, true, seed):
        found = [each.verdict(False, schedule.smallest) for each in judged]
        verdicts.update(found)
        called += "better" in found or "worse" in found
        alike += "no relevant difference" in found
        missed += any(not each.low <= true <= each.high for each in judged)
        seeds += sum(each.n for each in judged)
    return Outcomes(count, called, alike, missed, verdicts, seeds)


def _judged(count: int, noise: Noise, schedule: SeedSchedule, true: float, seed: int) -> Iterator[list[Difference]]:
    random = np.random.default_rng(seed)
    numbers = len(schedule.seeds)
    for begin in range(0, count, BLOCK):
        scores = noise(random, (min(BLOCK, count - begin), 1 + ARMS, numbers))
        scores[:, 1:] += true
        for rows in scores.tolist():
            baseline, *others = [dict(enumerate(row)) for row in rows]
            arms = {f"arm {number}": values for number, values in enumerate(others)}
            standings = find_standings(baseline, arms, schedule)
            used = {arm: dict(list(values.items())[: standings[arm].judged]) for arm, values in arms.items()}
            yield list(compare(baseline, used, len(schedule.looks)).values())


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
            f"any interval missed in {found.missed / count:.2%}, {found.mean_seeds:.2f} seeds; "
            f"with 10 fixed any verdict in {fixed.called / count:.2%}"
        )
    normal = NOISES["normal"]
    bounded = replace(SCHEDULE, smallest=1.5)
    found = simulate_settling(count, normal, bounded, 1.5)
    say(f"difference 1.5 = smallest: any arm called alike in {found.alike / count:.2%}")
    for difference in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        few = count // 10
        settled, fixed = (simulate_settling(few, normal, each, difference) for each in (SCHEDULE, FIXED))
        within = simulate_settling(few, normal, bounded, difference)
        say(
            f"difference {difference}: called different {_share(settled)} with {settled.mean_seeds:.1f} seeds, "
            f"{_share(fixed)} with 10 fixed; with smallest 1.5: different {_share(within)}, "
            f"alike {within.verdicts['no relevant difference'] / few / ARMS:.0%}, {within.mean_seeds:.1f} seeds"
        )


def _share(found: Outcomes) -> str:
    return f"{(found.verdicts['better'] + found.verdicts['worse']) / found.count / ARMS:.0%}"


if __name__ == "__main__":
    main()
