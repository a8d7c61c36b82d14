"""Trials to train, what is told of them, and what trains them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True)
class Job:
    """A trial to train.

    Args:
        name: what it is called, for people.
        recipe: its settled recipe's file.
        target: its run's folder, which is gone on with if it is there.
        plugins: files that the recipe takes components from.
    """

    name: str
    recipe: Path
    target: Path
    plugins: Sequence[Path] = ()

    def message(self) -> dict[str, Any]:
        """This job as JSON can hold it."""
        plugins = [str(path) for path in self.plugins]
        return {"name": self.name, "recipe": str(self.recipe), "target": str(self.target), "plugins": plugins}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Job:
        """Read a job from what `message` gave."""
        plugins = [Path(path) for path in message["plugins"]]
        return cls(message["name"], Path(message["recipe"]), Path(message["target"]), plugins)


class JobStarted(NamedTuple):
    """A slot took up a job."""

    job: Job


class JobProgress(NamedTuple):
    """A job's training is at this step."""

    job: Job
    step: int


class JobEnded(NamedTuple):
    """A job ended: `finished`, `interrupted` or `failed`, and why if it failed."""

    job: Job
    status: str
    failure: str | None


JobEvent = JobStarted | JobProgress | JobEnded


class Executor(Protocol):
    """A callable that trains jobs and reports their events."""

    def __call__(
        self,
        jobs: Sequence[Job],
        environments: Sequence[Mapping[str, str]],
        log: Path,
        on_event: Callable[[JobEvent], None],
    ) -> None:
        """Train jobs, in order, as many at a time as there are environments.

        Args:
            jobs: what to train.
            environments: the variables that each process has besides, such as the GPU that it may see.
            log: where to add what the processes write to standard error.
            on_event: called with each event, in the thread that called.
        """
        ...
