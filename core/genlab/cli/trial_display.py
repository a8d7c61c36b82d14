"""Display of the progress of trials in a terminal, whoever trains them."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from genlab.ablation.eta import TimeEstimate
from genlab.ablation.jobs import ArmSettled, Job, JobEnded, JobEvent, JobLeft, JobProgress, JobStarted
from genlab.cli.output import clock, make_console
from genlab.runs.folder import RunFolder

_COLORS = {"finished": "green", "interrupted": "yellow", "failed": "red", "left": "yellow"}


class Show:
    """Progress of trials on standard error: a bar each on a terminal, lines elsewhere.

    Args:
        steps: the length of each trial, by its name.
        estimate: from the trials that are finished.
        jobs: how many this command trains at a time; others may train more.
        is_sequential: whether some of the trials may not be needed.
    """

    def __init__(self, steps: Mapping[str, int], estimate: TimeEstimate, jobs: int, is_sequential: bool) -> None:
        self._steps = steps
        self._estimate = estimate
        self._jobs = jobs
        self._about = "at most about" if is_sequential else "about"
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            console=make_console(stderr=True),
            transient=True,
        )
        self._bars: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
        self._ended: dict[str, JobEnded] = {}

    def __enter__(self) -> Show:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: JobEvent) -> None:
        """Show an event."""
        match event:
            case JobStarted(job):
                self._begin(job)
            case JobProgress(job, step):
                steps = self._steps[job.name]
                self._progress.update(self._bars[job.name], completed=step, count=f"{step}/{steps}")
                self._estimate.moved(job.name, step / steps)
            case JobEnded():
                self._end(event)
            case JobLeft(job):
                self._print("left", job, self._take_down(job))
            case ArmSettled():
                self._settle(event)

    @property
    def was_interrupted(self) -> bool:
        """True if a trial was saved before its end."""
        return any(done.status == "interrupted" for done in self._ended.values())

    @property
    def exit_code(self) -> int:
        """Exit code: 0 if all trials are finished, 130 if interrupted by a signal, 1 if a trial failed."""
        statuses = [done.status for done in self._ended.values()]
        if self.was_interrupted:
            return 128 + signal.SIGINT
        return 1 if "failed" in statuses else 0

    def _begin(self, job: Job) -> None:
        self._begun[job.name] = time.monotonic()
        steps = self._steps[job.name]
        self._bars[job.name] = self._progress.add_task(job.name, total=steps, count=f"0/{steps}")

    def _take_down(self, job: Job) -> float:
        """Remove the bar of a trial; how many seconds ago it was begun."""
        if job.name in self._bars:
            self._progress.remove_task(self._bars.pop(job.name))
        now = time.monotonic()
        return now - self._begun.pop(job.name, now)

    def _end(self, done: JobEnded) -> None:
        name = done.job.name
        self._ended[name] = done
        seconds = self._take_down(done.job)
        # Total duration, including the time before it was resumed.
        self._estimate.ended(name, RunFolder(done.job.target).read().seconds if done.status == "finished" else None)
        self._print(done.status, done.job, seconds, done.failure)

    def _print(self, status: str, job: Job, seconds: float, failure: str | None = None) -> None:
        line = Text.assemble((f"{status:<12}", _COLORS[status]), job.name, (f"   {clock(seconds)}", "dim"))
        if left := self._estimate.left(max(self._jobs, len(self._bars))):
            line.append(f"   {self._about} {clock(left)} left", "dim")
        if failure:
            line.append(f"\n{failure}")
        self._progress.console.print(line, soft_wrap=True)

    def _settle(self, event: ArmSettled) -> None:
        self._estimate.drop(event.arm)
        line = Text.assemble((f"{'settled':<12}", "green"), f"{event.arm}, after {event.seeds} seeds: {event.verdict}")
        self._progress.console.print(line, soft_wrap=True)
