"""One worker of an ablation, on any machine that reaches its folder. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from genlab.ablation.crew import Crew, is_in_doubt, is_worked_on
from genlab.ablation.eta import TimeEstimate
from genlab.ablation.execute import execute
from genlab.ablation.jobs import Job, JobEvent
from genlab.ablation.outcome import find_outcome
from genlab.ablation.planned_work import PlannedWork
from genlab.engine.stop_signal import StopSignal
from genlab.errors import RunError
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.registry.discovery.trust import require_trust, trusting
from genlab.runs.folder import RunFolder
from genlab.util.arguments import as_path
from genlab.util.environment import refuse_several_processes
from genlab.util.links import refuse_links

_WORDS = "Stopping: the running trial is saved, for another worker to resume. Interrupt again to stop at once."


class AblationWorker:
    """Worker that trains trials of an ablation, beside others on this machine and elsewhere.

    Args:
        folder: the ablation's.
        trust: whether to run plugin files that came with the folder, and to remember them as trusted.
        trial: the one trial to work on, such as `skips.seed-0`; all without it.

    Raises:
        RunError: no trials are planned there, or it has code that is not trusted.
    """

    def __init__(self, folder: str | Path, *, trust: bool = False, trial: str | None = None) -> None:
        refuse_several_processes()
        self.folder = as_path(folder).absolute()
        self.planned = PlannedWork.read(self.folder)
        refuse_links(self.folder, "ablation")
        plugins = self.folder / "planned" / "plugins"
        with trusting(trust):
            require_trust(self.folder, [PluginFile.read(plugins / name, name) for name in self.planned.plugins])
        names = [run.stem for run in self.planned.trials]
        if trial is not None and trial not in names:
            raise RunError(f"no trial is called {trial!r}; there are {', '.join(names)}", where=str(self.folder))
        self._trial = trial

    @property
    def steps(self) -> dict[str, int]:
        """Length of each trial, by its name."""
        return {run.name: run.steps for run in self.planned.trials}

    def time_estimate(self) -> TimeEstimate:
        """Time estimate of all trials that may still be trained."""
        arms = {run.stem: run.arm for run in self.planned.trials}
        seconds: dict[str, list[float]] = {}
        missing: dict[str, str] = {}
        for job in self.planned.jobs(self.folder):
            outcome = find_outcome(job)
            if outcome and outcome.status == "finished":
                seconds.setdefault(arms[job.trial], []).append(RunFolder(job.target).stored().seconds)
            else:
                missing[job.name] = arms[job.trial]
        return TimeEstimate(seconds, missing)

    def train(self, on_event: Callable[[JobEvent], None], is_over: Callable[[], bool] = lambda: False) -> None:
        """Train one trial after the other, until none is left that nobody trains.

        Where results decide which trials are wanted, it waits for them. A trial that a lost worker left is resumed;
        of one that is being trained, it waits until it has seen that its holder is there.

        Args:
            on_event: called with each event of every trial, whoever trains it.
            is_over: true once the running trial is to be saved and left.

        Raises:
            RunError: this machine has other code or data than the one that planned the ablation.
        """
        is_awaited = is_worked_on if self.planned.schedule.is_sequential or self._trial else is_in_doubt
        with StopSignal(_WORDS) as stopping:
            crew = Crew(self.folder, self._jobs, is_awaited, on_event, lambda: stopping() or is_over())
            crew.train([{}], execute)

    def _jobs(self) -> list[Job]:
        jobs = self.planned.jobs(self.folder)
        return [job for job in jobs if self._trial in (None, job.trial)]
