"""Jobs, job events and executors: the protocol between an ablation and its worker processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True)
class Job:
    """A trial to train.

    Args:
        name: display name.
        recipe: its settled recipe's file.
        target: its run's folder; an existing run is resumed.
        plugins: files that the recipe takes components from.
    """

    name: str
    recipe: Path
    target: Path
    plugins: Sequence[Path] = ()

    def message(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        plugins = [str(path) for path in self.plugins]
        return {"name": self.name, "recipe": str(self.recipe), "target": str(self.target), "plugins": plugins}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Job:
        """Create a job from the values of `message`."""
        plugins = [Path(path) for path in message["plugins"]]
        return cls(message["name"], Path(message["recipe"]), Path(message["target"]), plugins)


class JobStarted(NamedTuple):
    """A slot started a job."""

    job: Job


class JobProgress(NamedTuple):
    """A job's training reached this step."""

    job: Job
    step: int


class JobEnded(NamedTuple):
    """A job ended: `finished`, `interrupted` or `failed`, and why if it failed."""

    job: Job
    status: str
    failure: str | None


class ArmSettled(NamedTuple):
    """An arm gets no more seeds, as its verdict at a look is one that more of them would not change."""

    arm: str
    seeds: int
    verdict: str


JobEvent = JobStarted | JobProgress | JobEnded | ArmSettled


class Executor(Protocol):
    """A callable that trains jobs and reports their events."""

    def __call__(
        self,
        jobs: Sequence[Job],
        environments: Sequence[Mapping[str, str]],
        log: Path,
        on_event: Callable[[JobEvent], None],
    ) -> None:
        """Train jobs in order, as many in parallel as there are environments.

        Args:
            jobs: the jobs.
            environments: additional environment variables of each process, such as the visible GPU.
            log: file to append the processes' standard error to.
            on_event: called with each event, in the calling thread.
        """
        ...
