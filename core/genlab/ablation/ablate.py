"""An ablation from its recipe to its result: finished trials are reused, and only missing ones are trained."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tomli_w
import torch

from genlab.ablation.budget import within_budget
from genlab.ablation.contents import TrialContents
from genlab.ablation.crew import Crew, Held, is_worked_on
from genlab.ablation.engine import Engine
from genlab.ablation.eta import TimeEstimate
from genlab.ablation.execute import execute
from genlab.ablation.finished_trials import FinishedTrials
from genlab.ablation.folder import AblationFolder
from genlab.ablation.identity import Identity
from genlab.ablation.jobs import ArmSettled, Executor, Job, JobEvent
from genlab.ablation.observations import damaged_observation
from genlab.ablation.outcome import find_outcome, forget_failures
from genlab.ablation.plan import Plan, PlannedTrial, make_plan
from genlab.ablation.planned_work import PlannedRun, PlannedWork
from genlab.ablation.power import PowerEstimate
from genlab.ablation.report import write_ablation_report
from genlab.ablation.results import AblationResult, read_result
from genlab.ablation.step_cost import StepCosts, measure_step_seconds
from genlab.assemble.dry_training import count_step_flops
from genlab.assemble.experiment import construct, prepare
from genlab.assemble.facts import count_parameters
from genlab.assemble.networks import construct_networks, outlined
from genlab.assemble.recipe import Recipe
from genlab.config.load import load_recipe
from genlab.data.check import Selection
from genlab.engine.checkpoint import drop_training_state
from genlab.engine.listener_list import ListenerList
from genlab.engine.stop_signal import StopSignal
from genlab.errors import RunError
from genlab.inspection.inspector import find_suspicions
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest
from genlab.util.environment import refuse_several_processes
from genlab.util.files import atomic_write, storage_errors, write_text


@dataclass(frozen=True)
class SettledTrial:
    """A trial with its recipe settled for this machine.

    Args:
        trial: the plan's.
        recipe: with its data, device and threads chosen.
        identity: content hash that identifies it.
    """

    trial: PlannedTrial
    recipe: Recipe
    identity: Identity

    @property
    def planned(self) -> PlannedRun:
        """The trial as workers are told of it."""
        arm, seed, steps = self.trial.arm, self.trial.seed, self.recipe.settings.train.steps
        return PlannedRun(arm=arm, seed=seed, steps=steps, identity=dict(self.identity))


_STOP_WORDS = "Stopping: running trials are saved. Interrupt again to stop at once."


class Ablation:
    """An ablation in its folder, planned and settled, before anything is trained.

    Args:
        recipe: the path of a recipe with an `[ablation]`, or the name of one that ships with genlab.
        path: the ablation's folder; finished trials in an existing one are reused.
        overrides: `KEY=VALUE` texts, laid over the recipe and under its arms.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong with the recipe and its arms.
        DataError: the data are not available.
        RunError: the folder's ablation was made by an earlier genlab, or the recipe of a trial's run was edited.
    """

    def __init__(
        self, recipe: str | Path, path: Path, *, overrides: Iterable[str] = (), plugins: Sequence[Path] = ()
    ) -> None:
        found = find_plugins(plugins)
        self._plugin_files = [plugin.file for plugin in found if plugin.file]
        document = load_recipe(recipe, overrides)
        plan = make_plan(document, Components(found))
        self.tables: Mapping[str, Any] = document.values
        self._contents = TrialContents()
        self.folder = AblationFolder(path)
        self.folder.refuse_earlier()
        self.step_costs: StepCosts | None = None
        if budget := plan.settings.budget:
            self.step_costs = StepCosts(self.folder.step_costs_path, plan.settings.budget_unit)
            plan = within_budget(plan, budget, self._step_cost, document)
            self.folder = AblationFolder.at(path)
            self.step_costs.save()
        self.plan: Plan = plan
        self.trials = [self._settled(trial) for trial in self.plan.trials]
        self._refuse_different_measures()
        for settled in self.trials:
            self.folder.refuse_edited(settled.trial.arm, settled.trial.seed, settled.identity)

    @property
    def slots(self) -> int:
        """Default number of trials to train at a time: one, or one per GPU."""
        return max(1, len(self._gpus))

    @property
    def threads(self) -> int:
        """Most CPU threads of a trial."""
        return max(settled.recipe.settings.train.threads or 1 for settled in self.trials)

    def require_gpus(self) -> None:
        """Raise a `RunError` if trials would not use a GPU."""
        devices = {settled.recipe.settings.train.device for settled in self.trials}
        if devices != {"cuda"}:
            what = (
                f"trials were to get GPUs, and are planned for {' and '.join(sorted(devices))}, as this machine has it"
            )
            hint = "Give the command on a machine with such a GPU; on Slurm: srun --gpus 1 gen ablate ..."
            raise RunError(what, where=self.plan.title, hint=hint)

    @cached_property
    def parameters(self) -> dict[str, dict[str, int]]:
        """Number of parameters of each arm's networks, by role."""
        return {arm: self._parameters(next(s for s in self.trials if s.trial.arm == arm)) for arm in self.plan.arms}

    @cached_property
    def warnings(self) -> list[str]:
        """Suspicions about the training pairs, each once for all trials that have it."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        for settled in self.trials:
            settings = settled.recipe.settings.input
            key = repr((settled.trial.recipe.data.table(), settings))
            if key not in seen:
                seen.add(key)
                pairs = prepare(settled.recipe, self._contents.opened(settled.trial.recipe).training)
                suspicions = find_suspicions(Selection.of_pairs(pairs, range(len(pairs))), settings)
                found |= dict.fromkeys(map(str, suspicions))
        return list(found)

    def time_estimate(self) -> TimeEstimate:
        """Time estimate from the trials that are finished and those that may still be trained."""
        return self._finished().time_estimate()

    def power_estimate(self) -> PowerEstimate:
        """Estimate, from the trials that are finished, of the differences that more seeds would show."""
        return self._finished().power_estimate()

    def run(
        self,
        jobs: int | None,
        retrain: bool,
        on_event: Callable[[JobEvent], None],
        executor: Executor = execute,
        engine: Engine | None = None,
    ) -> AblationResult:
        """Train missing trials, and read the results.

        Args:
            jobs: how many trials to train at a time; with 0, those of workers elsewhere are watched. None is
                one, or one a GPU, and with an engine as many as it has room for.
            retrain: whether to retrain trials that were trained with other code.
            on_event: called with each event.
            executor: trains the trials; worker processes by default.
            engine: has the trials trained elsewhere, so many at a time.

        Raises:
            RunError: the folder is something else's, trials were trained with other code, or are being trained by
                another recipe.
        """
        work = self.publish(retrain, engine, jobs)
        slots = [] if engine else self._environments(self.slots if jobs is None else jobs)
        self._train(work, slots, on_event, executor, engine)
        with self.folder.locked():
            result = self._read()
            write_ablation_report(result, self.folder, self.parameters)
        self._listeners().emit(result.compared(self.folder.path))
        return result

    def publish(self, retrain: bool = False, engine: Engine | None = None, most: int | None = None) -> PlannedWork:
        """Put trials in their places, and write what workers are to train.

        Args:
            retrain: whether to retrain trials that were trained with other code.
            engine: has them trained elsewhere.
            most: how many trials the engine is to have trained at a time.

        Raises:
            GenlabError: like `run`.
        """
        refuse_several_processes()
        self.folder = AblationFolder.at(self.folder.path)
        with self.folder.locked():
            self.folder.remove_partial()
            if not retrain:
                self._refuse_other_code()
            self._arrange()
            work = self._plan_work()
            if engine:
                missing = [job for job in work.jobs(self.folder.path) if not find_outcome(job)]
                engine.submit(self.folder.path.absolute(), missing, most)
        return work

    def _finished(self) -> FinishedTrials:
        """The trials that are finished, in place or aside."""
        found: dict[tuple[str, int], Manifest] = {}
        for settled in self.trials:
            arm, seed = settled.trial.arm, settled.trial.seed
            if manifest := self.folder.finished(arm, seed, settled.identity):
                found[arm, seed] = manifest
        return FinishedTrials(self.plan, found)

    def _train(
        self,
        work: PlannedWork,
        environments: Sequence[Mapping[str, str]],
        on_event: Callable[[JobEvent], None],
        executor: Executor,
        engine: Engine | None,
    ) -> None:
        """Train what is wanted, and then what the results of that ask for, until it is nothing new.

        A trial that failed is not tried again, and after an interruption nothing more is begun.
        """
        told: list[ArmSettled] = []

        def wanted() -> Sequence[Job]:
            for event in self._read().settled() if self.plan.schedule.is_sequential else ():
                if event not in told:
                    told.append(event)
                    on_event(event)
            jobs = work.jobs(self.folder.path)
            if engine and self.plan.schedule.is_sequential:
                engine.add([job for job in jobs if not find_outcome(job)])
            return jobs

        def is_awaited(held: Held) -> bool:
            # The engine is asked first: it begins what waits for room.
            return (engine.is_working() if engine else not environments) or is_worked_on(held)

        words = engine.stop_words if engine else _STOP_WORDS
        with StopSignal(words) as stopping, engine or nullcontext():
            Crew(self.folder.path, wanted, is_awaited, on_event, stopping).train(environments, executor)

    def _read(self) -> AblationResult:
        return read_result(self.plan, self.folder, {str(each.trial): each.identity for each in self.trials})

    def _listeners(self) -> ListenerList:
        """The recipe's listeners, those of the first trial."""
        trial = self.plan.trials[0]
        return ListenerList(list(construct(trial.recipe, trial.document).listeners.items()))

    def _step_cost(self, trial: PlannedTrial) -> float:
        """The cost of a step of a trial, in the unit of the budget."""
        assert self.step_costs
        measure = {"flops": self._flops, "seconds": self._seconds}[self.step_costs.unit]
        return self.step_costs.find(trial.recipe, lambda: measure(trial))

    def _flops(self, trial: PlannedTrial) -> float:
        return count_step_flops(trial.recipe, self._contents.channels(trial.recipe), trial.document)

    def _seconds(self, trial: PlannedTrial) -> float:
        return measure_step_seconds(trial.recipe, trial.document)

    def _settled(self, trial: PlannedTrial) -> SettledTrial:
        return SettledTrial(trial, *self._contents.settled(trial.recipe, trial.document))

    def _parameters(self, settled: SettledTrial) -> dict[str, int]:
        recipe, document = settled.recipe, settled.trial.document
        channels = self._contents.channels(settled.trial.recipe)
        networks = outlined(lambda: construct_networks(recipe, channels, document))
        return {role: count_parameters(network) for role, network in networks.items()}

    def _refuse_different_measures(self) -> None:
        """Raise if metrics of the same label depend on different content in two arms, such as two trained judges."""
        found = [self._contents.measured(trial.recipe, trial.document) for trial in self.plan.trials]
        for name in sorted(set().union(*found) - {"train", "validation"}):
            if len({fingerprints.get(name) for fingerprints in found}) > 1:
                what = f"{name} depends on different content in different arms, so their scores cannot be compared"
                raise RunError(what, where=self.plan.title, hint="Give the metric the same settings in every arm.")

    def _refuse_other_code(self) -> None:
        changed = {
            str(settled.trial): found
            for settled in self.trials
            if (found := self.folder.changed_code(settled.trial.arm, settled.trial.seed, settled.identity))
        }
        if changed:
            what = "; ".join(dict.fromkeys(name for names in changed.values() for name in names))
            first, count = next(iter(changed)), len(changed)
            trials = first if count == 1 else f"{count} trials ({first}, ...)"
            raise RunError(
                f"{trials} were trained with other code, and results of both must not be mixed; changed since: {what}",
                where=str(self.folder.path),
                hint="Restore the code, choose another --out, or train them again with --retrain.",
            )

    def _arrange(self) -> None:
        """Move the runs of the plan's trials into place, and all others aside."""
        self.folder.keep_only({(settled.trial.arm, settled.trial.seed) for settled in self.trials})
        write_text(self.folder.recipe_path, tomli_w.dumps(self.tables))
        for settled in self.trials:
            self.folder.bring(settled.trial.arm, settled.trial.seed, settled.identity)

    def _plan_work(self) -> PlannedWork:
        """Write what workers are to train; trials that failed are to be tried again."""
        planned = self.folder.path / "planned"
        with storage_errors(planned):
            planned.mkdir(exist_ok=True)
        for file in self._plugin_files:
            with storage_errors(planned / "plugins"):
                (planned / "plugins").mkdir(exist_ok=True)
            with atomic_write(planned / "plugins" / file.path.name) as aside:
                aside.write_bytes(file.code)
        for settled in self.trials:
            trial = settled.trial
            run = self.folder.trial(trial.arm, trial.seed)
            if run.manifest_path.is_file() and (manifest := run.read()).status == "finished":
                _refuse_damaged(trial, run, manifest)
                # The process that trained it may have been killed before it did so.
                drop_training_state(run.checkpoints_path)
            write_text(planned / f"{trial.arm}.seed-{trial.seed}.toml", settled.recipe.toml())
        forget_failures(self.folder.path)
        work = PlannedWork(
            host=platform.node(),
            settings=self.plan.settings,
            plugins=[file.path.name for file in self._plugin_files],
            trials=[settled.planned for settled in self.trials],
        )
        work.write(self.folder.path)
        return work

    @property
    def _gpus(self) -> list[str]:
        if self.trials[0].recipe.settings.train.device != "cuda":
            return []
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return visible.split(",") if visible else [str(number) for number in range(torch.cuda.device_count())]

    def _environments(self, jobs: int) -> list[dict[str, str]]:
        """Environment variables of each worker slot; where there are GPUs, each slot sees one of them."""
        gpus = self._gpus
        return [{"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if gpus else {} for slot in range(jobs)]


def _refuse_damaged(trial: PlannedTrial, run: RunFolder, manifest: Manifest) -> None:
    """Raise a `RunError` if a finished trial's observations are not as the training wrote them."""
    if damaged := damaged_observation(run.path, manifest):
        what = f"{trial} is finished, but this file is not as its training wrote it"
        hint = f"Restore it, or remove the trial's folder to train it again: {run.path}"
        if manifest.results is None:
            what = f"{trial} was finished by another command, which does not observe what a report shows"
            hint = f"Remove the trial's folder to train it again: {run.path}"
        raise RunError(what, where=str(run.path / damaged), hint=hint)
