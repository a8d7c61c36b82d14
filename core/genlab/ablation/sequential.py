"""Sequential stopping: arms get seeds one after the other, until they are settled. Importing this imports no torch.

The seeds, their order and the looks at the results are fixed before anything is trained. At a look an arm is settled if
the confidence interval of its difference from the baseline excludes zero, or lies within the smallest difference that
matters; it then gets no more seeds.

The error rate is at most 5 %: of normally distributed differences each interval misses the true one with a probability
of 5 % divided by the number of arms and of planned looks, so by Bonferroni's inequality all intervals, of every arm and
at every look, taken or not, contain their true differences with at least 95 %, however arms and looks depend on each
other. Whenever they do, no arm that is called different is equal to the baseline, and none that is called alike differs
by more than what matters, whatever rule decided when to look no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genlab.ablation.statistics import Difference, paired_difference
from genlab.config.schema import AblationTable

FIRST_LOOK = 4
"""Fewest paired seeds of a look."""


@dataclass(frozen=True)
class SeedSchedule:
    """Seeds of an ablation, and when the results are looked at.

    Args:
        seeds: in the order in which they are used.
        looks: number of seeds that an arm and the baseline have at each planned look.
        is_sequential: True if an arm that is settled at a look gets no more seeds.
        smallest: the smallest difference that matters, in the units of the metric.
    """

    seeds: Sequence[int]
    looks: Sequence[int]
    is_sequential: bool
    smallest: float | None = None

    @classmethod
    def of(cls, settings: AblationTable) -> SeedSchedule:
        """The schedule of an `[ablation]`: its seeds, and those after the largest of them up to `max_seeds`."""
        seeds, smallest = settings.seeds, settings.smallest_difference
        if settings.stop == "fixed" or settings.max_seeds is None:
            return cls(seeds, [len(seeds)], False, smallest)
        more = range(max(seeds) + 1, max(seeds) + 1 + settings.max_seeds - len(seeds))
        first = max(FIRST_LOOK, len(seeds))
        return cls([*seeds, *more], range(first, settings.max_seeds + 1), True, smallest)

    def looks_with(self, seeds: int) -> int:
        """Number of planned looks if an arm may get so many seeds; no fewer than there are."""
        return max(len(self.looks), seeds + 1 - self.looks[0]) if self.is_sequential else 1

    def is_settled(self, difference: Difference) -> bool:
        """True if more seeds of an arm are not needed, or cannot help as a figure is not finite."""
        undecided = ("no difference shown", "no spread", "too few seeds")
        return difference.verdict(False, self.smallest) not in undecided


@dataclass(frozen=True)
class Standing:
    """Number of seeds of an arm, by what its results at the looks so far say.

    Args:
        judged: seeds of its last look, whose trials are all finished; 0 before the first one.
        wanted: seeds that it is to have: no more than that if it is settled or had the last look, else those of the
            next one.
    """

    judged: int
    wanted: int

    @property
    def is_waiting(self) -> bool:
        """True if trials of its next look are not finished."""
        return self.wanted > self.judged


def find_standings(
    baseline: Mapping[int, float], arms: Mapping[str, Mapping[int, float]], schedule: SeedSchedule
) -> dict[str, Standing]:
    """Look at the results, look after look.

    An arm's standing depends on nothing but its own and the baseline's figures at its looks, so an ablation that is
    resumed or repeated decides alike, and trials that are there already do not count before their look.

    Args:
        baseline: the metric by seed, of finished trials.
        arms: likewise, by the arm's name, without the baseline.
        schedule: what was planned.
    """
    parts = len(arms) * len(schedule.looks)
    return {arm: _find_standing(baseline, values, schedule, parts) for arm, values in arms.items()}


def _find_standing(
    baseline: Mapping[int, float], arm: Mapping[int, float], schedule: SeedSchedule, parts: int
) -> Standing:
    judged = 0
    for looked in schedule.looks:
        seeds = schedule.seeds[:looked]
        if not all(seed in baseline and seed in arm for seed in seeds):
            return Standing(judged, looked)
        judged = looked
        if schedule.is_settled(paired_difference(baseline, {seed: arm[seed] for seed in seeds}, parts)):
            break
    return Standing(judged, judged)
