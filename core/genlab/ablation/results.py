"""Results of an ablation: metrics of its trials, and what their differences show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from genlab.ablation.earlier_report import FinishedRun, read_first_plan
from genlab.ablation.folder import AblationFolder
from genlab.ablation.identity import Identity, differences, identity_of
from genlab.ablation.jobs import ArmSettled
from genlab.ablation.observations import History, damaged_observation, read_history, read_per_image, read_pictures
from genlab.ablation.plan import Plan, PlannedTrial
from genlab.ablation.sequential import SeedSchedule, Standing, find_standings
from genlab.ablation.statistics import (
    FEW_SEEDS,
    MIN_SEEDS,
    Difference,
    OverImages,
    Spread,
    Verdict,
    compare,
    mean_and_deviation,
    over_images,
    sentence,
)
from genlab.assemble.recipe import Score
from genlab.assemble.role_tables import resolved_key
from genlab.config.validate import Keys, dotted, inline
from genlab.errors import GenlabError, RunError
from genlab.interfaces.listener import Compared, Interval, Pictures, Trial
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest


@dataclass(frozen=True)
class TrialResult:
    """One trial: its run's folder, the manifest if it began, and its metrics by step."""

    arm: str
    seed: int
    folder: Path
    manifest: Manifest | None
    history: History

    @property
    def metrics(self) -> Mapping[str, float]:
        """Final scores of a finished trial; empty for others."""
        return self.manifest.metrics if self.manifest and self.manifest.status == "finished" else {}


@dataclass(frozen=True)
class AblationResult:
    """All of it, in the order of the plan, the baseline first.

    Args:
        plan: the plan.
        trials: every trial that is wanted, finished or not: with fixed seeds all planned ones, else those of each arm
            up to the look that settled it, or that it waits for.
        first_seeds: the seeds that were planned when a report first showed any of these trials.
        first_looks: the looks that were planned then; empty if they are the plan's.
    """

    plan: Plan
    trials: Sequence[TrialResult]
    first_seeds: Sequence[int]
    first_looks: Sequence[int] = ()

    @property
    def seeds(self) -> list[int]:
        """The planned seeds of every arm: with `max_seeds`, all that it may get."""
        return list(self.schedule.seeds)

    @cached_property
    def schedule(self) -> SeedSchedule:
        """Seeds in their order, and the looks."""
        return self.plan.schedule

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Number of seeds that each arm beside the baseline was judged by, and is to have."""
        metric = self.plan.settings.metric
        arms = {arm: self.values(arm, metric) for arm in self.plan.arms[1:]}
        return find_standings(self.values(self.baseline, metric), arms, self.schedule)

    @property
    def baseline(self) -> str:
        """Name of the arm that the others are compared with."""
        return self.plan.settings.baseline

    @property
    def finished(self) -> list[TrialResult]:
        """Trials with metrics."""
        return [trial for trial in self.trials if trial.metrics]

    @property
    def names(self) -> set[str]:
        """Names of the wanted trials, as the plan has them."""
        return {f"{trial.arm}, seed {trial.seed}" for trial in self.trials}

    @property
    def is_complete(self) -> bool:
        """True if every wanted trial is finished."""
        return len(self.finished) == len(self.trials)

    def higher_is_better(self, metric: str) -> bool:
        """Direction that is good; a gap has that of its metric."""
        return self._score(metric).higher_is_better

    def values(self, arm: str, metric: str) -> dict[int, float]:
        """A metric by seed, of the trials that are finished."""
        return {
            trial.seed: trial.metrics[metric] for trial in self.finished if trial.arm == arm and metric in trial.metrics
        }

    def spread(self, arm: str, metric: str) -> Spread | None:
        """Mean and deviation of an arm's metric over its seeds; None without a finished trial."""
        values = self.values(arm, metric)
        return mean_and_deviation(list(values.values())) if values else None

    def target_scores(self, metric: str) -> Spread | None:
        """Scores of the targets themselves, for a metric that has them."""
        name = self._score(metric).target_scores
        return self.spread(self.baseline, f"{metric.partition('/')[0]}/{name}") if name else None

    def _score(self, metric: str) -> Score:
        return self.plan.trials[0].recipe.scores[metric.partition("/")[2]]

    def measured_with(self) -> dict[str, str]:
        """Metrics' descriptions, such as of a trained judge, by label, for metrics that have one."""
        facts = next((trial.manifest.facts for trial in self.finished if trial.manifest), {})
        return {label: facts[label] for label in self.plan.trials[0].recipe.metrics if label in facts}

    def over_images(self, metric: str) -> dict[str, OverImages]:
        """Difference of each arm from the baseline, with a bootstrap interval over images, for means over images."""
        baseline = self._per_image(self.baseline, metric)
        found = {arm: over_images(baseline, self._per_image(arm, metric)) for arm in self.plan.arms[1:]}
        return {arm: interval for arm, interval in found.items() if interval}

    def _per_image(self, arm: str, metric: str) -> dict[int, dict[str, float]]:
        """The metric of each image by seed, for finished trials; images are identified by data and key."""
        found: dict[int, dict[str, float]] = {}
        for trial in self.finished:
            if trial.arm == arm and trial.manifest and (values := read_per_image(trial.folder).get(metric)):
                data = trial.manifest.data.fingerprints["train" if metric.startswith("train/") else "validation"]
                found[trial.seed] = {f"{data} {key}": value for key, value in values.items()}
        return found

    def settled(self) -> list[ArmSettled]:
        """Arms that need no more seeds, where these are added until they are settled."""
        metric = self.plan.settings.metric
        return [
            ArmSettled(arm, difference.n, self.verdict(metric, difference))
            for arm, difference in self.differences(metric).items()
            if self.schedule.is_sequential and self.schedule.is_settled(difference)
        ]

    def differences(self, metric: str) -> dict[str, Difference]:
        """Difference of each arm from the baseline, with its confidence interval over seeds.

        Where seeds are added until an arm is settled, over those of its last look.
        """
        arms = {arm: self._judged(arm, metric) for arm in self.plan.arms[1:]}
        return compare(self.values(self.baseline, metric), arms, len(self.schedule.looks))

    def _judged(self, arm: str, metric: str) -> dict[int, float]:
        values = self.values(arm, metric)
        if not self.schedule.is_sequential:
            return values
        seeds = self.seeds[: self.standings[arm].judged]
        return {seed: values[seed] for seed in seeds if seed in values}

    def verdict(self, metric: str, difference: Difference) -> Verdict:
        """Verdict on a difference of a metric; the smallest one that matters is that of the primary metric."""
        return difference.verdict(self.higher_is_better(metric), self._smallest(metric))

    def _smallest(self, metric: str) -> float | None:
        return self.schedule.smallest if metric == self.plan.settings.metric else None

    def sentences(self, metric: str) -> list[str]:
        """Verdict sentences, one for each arm against the baseline."""
        differences = self.differences(metric)
        most = len(self.seeds) if self.schedule.is_sequential else None
        good, smallest = self.higher_is_better(metric), self._smallest(metric)
        return [
            sentence(arm, self.baseline, metric, differences[arm], good, smallest, most)
            if arm in differences
            else self._not_compared(arm)
            for arm in self.plan.arms[1:]
        ]

    def _not_compared(self, arm: str) -> str:
        if self.schedule.is_sequential:
            return (
                f"{arm} is not judged before it and {self.baseline} have finished {self.schedule.looks[0]} seeds each."
            )
        return f"{arm} and {self.baseline} have no finished seed in common, so they cannot be compared."

    def cautions(self) -> list[str]:
        """Sentences on what the verdicts on the primary metric rely on, and on what they may not."""
        found: list[str] = []
        differences = self.differences(self.plan.settings.metric).values()
        if any(difference.low is not None and MIN_SEEDS <= difference.n < FEW_SEEDS for difference in differences):
            found.append(
                f"With fewer than {FEW_SEEDS} seeds an interval is right only if differences are about normally "
                "distributed over the seeds, which so few cannot show."
            )
        if not self.is_complete:
            found.append(f"{len(self.finished)} of {len(self.trials)} trials are finished, so {self._interim}")
        if early := [trial for trial in self.finished if trial.manifest and trial.manifest.ended_early]:
            found.append(
                f"{len(early)} of {len(self.finished)} trials ended early by their own rule, so trials are compared by "
                "the last scores of trainings of different lengths."
            )
        if self._has_other_seeds:
            found.append(
                f"The seeds were changed after a report had been written (then {_listed(self.first_seeds)}, now "
                f"{_listed(self.seeds)}): if its figures were the reason, the error rate is above 5 %."
            )
        elif self.first_looks and list(self.first_looks) != list(self.schedule.looks):
            found.append(
                "When to stop was changed after a report had been written (it looked after "
                f"{_listed(self.first_looks)} seeds, this one after {_listed(self.schedule.looks)}): if its figures "
                "were the reason, the error rate is above 5 %."
            )
        return found

    @property
    def _interim(self) -> str:
        if self.schedule.is_sequential:
            return "each arm is judged by its last look, whose seeds are finished; the same command goes on."
        return "these are interim figures: to stop or to add seeds because of them raises the error rate above 5 %."

    @property
    def _has_other_seeds(self) -> bool:
        """True if other seeds were planned first, or, where some are looked at before others, in another order."""
        if self.schedule.is_sequential:
            return list(self.first_seeds) != self.seeds
        return set(self.first_seeds) != set(self.seeds)

    def bands(self, metric: str) -> dict[str, dict[int, Interval]]:
        """Mean and standard deviation over the seeds of a metric during training, by arm."""
        return {arm: self._band(arm, metric) for arm in self.plan.arms}

    def _band(self, arm: str, metric: str) -> dict[int, Interval]:
        histories = [trial.history for trial in self.finished if trial.arm == arm]
        steps = sorted({step for history in histories for step in history})
        found = {
            step: [history[step][metric] for history in histories if metric in history.get(step, {})] for step in steps
        }
        return {step: _interval(mean_and_deviation(values)) for step, values in found.items() if values}

    def pictures(self) -> dict[str, Pictures]:
        """Each arm's last pictures, by the first of its seeds that made some."""
        found: dict[str, Pictures] = {}
        for trial in self.finished:
            if trial.arm not in found and (pictures := read_pictures(trial.folder)):
                found[trial.arm] = pictures
        return found

    def compared(self, folder: Path) -> Compared:
        """The event for listeners."""
        keys = dict.fromkeys(key for changes in self.plan.changes.values() for key in changes)
        curves = {metric: self.bands(metric) for metric in self.plan.metrics}
        trials = [
            Trial(trial.arm, trial.seed, trial.folder, self._settings(trial, list(keys))) for trial in self.finished
        ]
        return Compared(folder, self.plan.metrics, trials, curves, self.pictures())

    def _settings(self, trial: TrialResult, keys: Sequence[Keys]) -> dict[str, str | float | bool]:
        tables = self.plan.of(trial.arm)[0].recipe.tables()
        found = {dotted(key): _at(tables, resolved_key(tables, key)) for key in keys}
        return {
            name: value if isinstance(value, str | float | bool | int) else inline(value)
            for name, value in found.items()
        }


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _interval(spread: Spread) -> Interval:
    deviation = spread.deviation or 0
    return Interval(spread.mean - deviation, spread.mean, spread.mean + deviation)


def _at(tables: Any, keys: Keys) -> Any:
    """The value of a recipe's key; "none" where it has none, such as a loss that an arm drops."""
    for key in keys:
        if not isinstance(tables, dict) or key not in tables:
            return "none"
        tables = tables[key]
    return tables


def read_result(plan: Plan, folder: AblationFolder, wanted: Mapping[str, Identity]) -> AblationResult:
    """Read the result so far, from the trials that match the plan.

    Args:
        plan: the plan.
        folder: where its trials are.
        wanted: their identities, by the trial's name.
    """
    trials = [_read_trial(trial, folder, wanted[str(trial)]) for trial in _in_order(plan)]
    runs: set[FinishedRun] = {
        (trial.arm, trial.seed, trial.manifest.updated.replace(microsecond=0))
        for trial in trials
        if trial.manifest and trial.metrics
    }
    seeds, looks = read_first_plan(folder.path, runs) or (list(plan.schedule.seeds), list(plan.schedule.looks))
    result = AblationResult(plan, trials, seeds, looks)
    return _only_wanted(result) if plan.schedule.is_sequential else result


def _only_wanted(result: AblationResult) -> AblationResult:
    """The result without trials beyond the looks that its arms have had, or wait for."""
    wanted = {arm: standing.wanted for arm, standing in result.standings.items()}
    wanted[result.baseline] = max(wanted.values())
    seeds = {arm: set(result.seeds[:count]) for arm, count in wanted.items()}
    return replace(result, trials=[trial for trial in result.trials if trial.seed in seeds[trial.arm]])


def _in_order(plan: Plan) -> list[PlannedTrial]:
    return [trial for arm in plan.arms for trial in plan.of(arm)]


def _read_trial(trial: PlannedTrial, folder: AblationFolder, wanted: Identity) -> TrialResult:
    run = folder.trial(trial.arm, trial.seed)
    try:
        manifest = run.read()
    except RunError:
        return TrialResult(trial.arm, trial.seed, run.path, None, {})
    if manifest.status != "finished":
        return TrialResult(trial.arm, trial.seed, run.path, manifest, {})
    if failure := _mismatch(run, manifest, wanted) or _other_end(run, manifest, trial):
        manifest = manifest.model_copy(update={"status": "failed", "failure": failure})
        return TrialResult(trial.arm, trial.seed, run.path, manifest, {})
    return TrialResult(trial.arm, trial.seed, run.path, manifest, read_history(run.path))


def _other_end(run: RunFolder, manifest: Manifest, trial: PlannedTrial) -> str | None:
    """Reason why a run that a listener ended does not count: listeners are no part of a trial's identity."""
    by = manifest.ended_early.by if manifest.ended_early else ""
    listeners = {dotted(("listeners", label)): config.table() for label, config in trial.recipe.listeners.items()}
    recorded = (manifest.recipe or {}).get("listeners", {})
    ended_by = next((table for label, table in recorded.items() if dotted(("listeners", label)) == by), None)
    if ended_by == listeners.get(by):
        return None
    return f"{by} ended it, and has other settings now; remove its folder to train it again: {run.path}"


def _mismatch(run: RunFolder, manifest: Manifest, wanted: Identity) -> str | None:
    """Reason why a run does not count as a trial."""
    try:
        changed = differences(identity_of(run), wanted)
    except GenlabError as error:
        return str(error)
    if not changed and (damaged := damaged_observation(run.path, manifest)):
        changed = [damaged]
    return f"{' and '.join(changed)} changed while the ablation ran, so this run does not count" if changed else None
