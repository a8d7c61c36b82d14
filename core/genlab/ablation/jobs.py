"""Jobs, job events and executors: the protocol between an ablation and its worker processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True)
class Job:
    """A trial to train.

    Args:
        name: display name.
        recipe: its settled recipe's file, in the folder `planned` of its ablation.
        target: its run's folder; an existing run is resumed.
        plugins: files that the recipe takes components from.
        identity: what it was planned to be; empty if that does not matter.
        planner: the machine that planned it.
        left_by: the holder of its claim, if that one is lost.
    """

    name: str
    recipe: Path
    target: Path
    plugins: Sequence[Path] = ()
    identity: Mapping[str, str] = field(default_factory=dict[str, str])
    planner: str = ""
    left_by: str = ""

    @property
    def trial(self) -> str:
        """Name of its files, such as `skips.seed-0`."""
        return self.recipe.stem

    @property
    def ablation(self) -> Path:
        """Folder of its ablation."""
        return self.recipe.parents[1]

    def message(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        paths = {"recipe": str(self.recipe), "target": str(self.target), "plugins": list(map(str, self.plugins))}
        return {"name": self.name, **paths, "identity": dict(self.identity), "planner": self.planner}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Job:
        """Create a job from the values of `message`."""
        plugins = [Path(path) for path in message["plugins"]]
        paths = Path(message["recipe"]), Path(message["target"]), plugins
        return cls(message["name"], *paths, message["identity"], message["planner"])


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


class JobLeft(NamedTuple):
    """Whoever trained a job left it, to be resumed by somebody else, or lost it to them."""

    job: Job


class ArmSettled(NamedTuple):
    """An arm gets no more seeds, as its verdict at a look is one that more of them would not change."""

    arm: str
    seeds: int
    verdict: str


JobEvent = JobStarted | JobProgress | JobEnded | JobLeft | ArmSettled


class Executor(Protocol):
    """A callable that trains jobs and reports their events."""

    def __call__(
        self,
        jobs: Sequence[Job],
        environments: Sequence[Mapping[str, str]],
        log: Path,
        on_event: Callable[[JobEvent], None],
        is_over: Callable[[], bool],
    ) -> None:
        """Train jobs in order, as many in parallel as there are environments; those that others hold are left to them.

        Args:
            jobs: the jobs.
            environments: additional environment variables of each process, such as the visible GPU.
            log: file to append the processes' standard error to.
            on_event: called with each event, in the calling thread.
            is_over: called a few times a second, in the calling thread; once true, trials are saved and left.

        Raises:
            RunError: this machine has other code or data than the one that planned the jobs.
        """
        ...
