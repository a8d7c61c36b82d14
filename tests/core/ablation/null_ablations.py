"""Simulation of ablations whose arms make no difference, judged as real ones are: how often is one called different?

The tests simulate a few thousand; by hand, a hundred thousand of each kind:

    python -m tests.core.ablation.null_ablations --count 100000
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from genlab.ablation.statistics import Difference, compare
from genlab.util.confidence import LEVEL

ARMS = 4
"""Arms beside the baseline."""
SURE = 0.999
"""Probability of a bound that a correct rate stays within."""

Noise = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return random.normal(size=shape)


def _skewed(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Exponential noise of mean 0: most seeds a little below, a few far above."""
    return random.exponential(size=shape) - 1


def _skewed_arms(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Skewed arms and a baseline with hardly any noise, so that the differences are as skewed as the arms."""
    noise = _skewed(random, shape)
    noise[:, 0] = 0.01 * random.normal(size=noise[:, 0].shape)
    return noise


NOISES: Mapping[str, Noise] = {
    "normal": _normal,
    "skewed, all alike": _skewed,
    "skewed, arms alone": _skewed_arms,
}


@dataclass(frozen=True)
class Simulated:
    """Counts over simulated ablations.

    Args:
        count: number of ablations.
        called: those in which any arm is called better or worse.
        missed: those in which any interval leaves out the true difference, which is 0.
        missed_first: those in which the first arm's interval does.
    """

    count: int
    called: int
    missed: int
    missed_first: int


def simulate(count: int, seeds: int, noise: Noise) -> Simulated:
    """Judge ablations of which each arm has the same mean; what is due to a seed is common to its arms."""
    called = missed = missed_first = 0
    for baseline, *arms in _scores(count, seeds, noise):
        found = _judged(baseline, arms, seeds)
        misses = [not difference.low <= 0 <= difference.high for difference in found]
        called += any(difference.verdict(False) in ("better", "worse") for difference in found)
        missed += any(misses)
        missed_first += misses[0]
    return Simulated(count, called, missed, missed_first)


def called_while_adding_seeds(count: int, fewest: int, seeds: int, noise: Noise) -> int:
    """Ablations in which any arm is called different if one looks after each seed from the `fewest`-th on."""
    return sum(
        any(
            difference.verdict(False) in ("better", "worse")
            for looked in range(fewest, seeds + 1)
            for difference in _judged(baseline, arms, looked)
        )
        for baseline, *arms in _scores(count, seeds, noise)
    )


def _scores(count: int, seeds: int, noise: Noise) -> list[list[list[float]]]:
    """By ablation, arm and seed; the baseline is the first arm."""
    random = np.random.default_rng(0)
    values = noise(random, (count, 1 + ARMS, seeds)) + 3 * random.normal(size=(count, 1, seeds))
    return values.tolist()


def _judged(baseline: Sequence[float], arms: Sequence[Sequence[float]], seeds: int) -> list[Difference]:
    named = {f"arm {number}": dict(enumerate(arm[:seeds])) for number, arm in enumerate(arms)}
    return list(compare(dict(enumerate(baseline)), named).values())


def most(count: int) -> int:
    """Most ablations with a verdict that the stated error rate allows for."""
    return int(binom.ppf(SURE, count, 1 - LEVEL))


def missed_range(count: int) -> tuple[int, int]:
    """Fewest and most intervals of one arm that miss if they contain the truth as often as Bonferroni's should."""
    low, high = binom.interval(SURE, count, (1 - LEVEL) / ARMS)
    return int(low), int(high)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    low, high = missed_range(count)
    bounds = f"{(1 - LEVEL):.0%} are at most {most(count)}, {(1 - LEVEL) / ARMS:.2%} are {low} to {high}"
    lines = [f"{count} ablations of {ARMS} arms and a baseline; {bounds}"]
    for name, noise in NOISES.items():
        for seeds in (3, 5, 10):
            found = simulate(count, seeds, noise)
            called, missed = found.called / count, found.missed_first / count
            lines.append(f"{name}, {seeds} seeds: any verdict in {called:.2%}, the first arm missed in {missed:.2%}")
    looked = called_while_adding_seeds(count, 3, 10, _normal) / count
    lines.append(f"normal, looked at after each seed from the third to the tenth: any verdict in {looked:.2%}")
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
