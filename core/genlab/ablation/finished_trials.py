"""Finished trials of an ablation, before their results are read: what is known of its spread and its duration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genlab.ablation.eta import TimeEstimate
from genlab.ablation.plan import Plan
from genlab.ablation.power import PowerEstimate
from genlab.ablation.sequential import find_standings
from genlab.runs.manifest import Manifest


@dataclass(frozen=True)
class FinishedTrials:
    """Manifests of a plan's trials that are finished, by arm and seed."""

    plan: Plan
    manifests: Mapping[tuple[str, int], Manifest]

    def scores(self, arm: str) -> dict[int, float]:
        """The primary metric by seed."""
        metric = self.plan.settings.metric
        return {
            seed: manifest.metrics[metric]
            for (of, seed), manifest in self.manifests.items()
            if of == arm and metric in manifest.metrics
        }

    @property
    def seconds(self) -> dict[str, list[float]]:
        """Durations of the trainings, by arm."""
        found: dict[str, list[float]] = {}
        for (arm, _), manifest in self.manifests.items():
            found.setdefault(arm, []).append(manifest.seconds)
        return found

    def time_estimate(self) -> TimeEstimate:
        """Time estimate of all trials that may still be trained."""
        seeds = self._most_seeds()
        missing = {
            str(trial): arm
            for arm in self.plan.arms
            for trial in self.plan.of(arm)[: seeds[arm]]
            if (arm, trial.seed) not in self.manifests
        }
        return TimeEstimate(self.seconds, missing)

    def power_estimate(self) -> PowerEstimate:
        """Estimate of the differences that more seeds would show."""
        schedule, (baseline, *arms) = self.plan.schedule, self.plan.arms
        scores = {arm: self.scores(arm) for arm in arms}
        return PowerEstimate(self.scores(baseline), scores, self.seconds, baseline, schedule)

    def _most_seeds(self) -> dict[str, int]:
        """Number of seeds that each arm may get at most, by the looks that were possible so far."""
        schedule, (baseline, *arms) = self.plan.schedule, self.plan.arms
        standings = find_standings(self.scores(baseline), {arm: self.scores(arm) for arm in arms}, schedule)
        found = {arm: len(schedule.seeds) if it.is_waiting else it.judged for arm, it in standings.items()}
        return {baseline: max(found.values()), **found}
