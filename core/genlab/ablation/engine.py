"""Interface of engines that have an ablation's trials trained on other machines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from genlab.ablation.jobs import Job


class Engine(ABC):
    """Schedules work on a cluster, and tries again what a lost machine left; used as a context while it works."""

    @property
    @abstractmethod
    def stop_words(self) -> str:
        """Message for whoever interrupts the watching."""

    @abstractmethod
    def submit(self, ablation: Path, jobs: Sequence[Job], most: int | None) -> None:
        """Have trials trained, unless they are already.

        Args:
            ablation: the folder, as every machine reaches it.
            jobs: trials that are not finished.
            most: how many to train at a time; None for as many as there is room for.

        Raises:
            GenlabError: the engine is not installed, or cannot be reached.
        """

    def add(self, jobs: Sequence[Job]) -> None:
        """Have further trials trained, those that the results so far ask for; an engine's workers may see to that."""

    @abstractmethod
    def is_working(self) -> bool:
        """True as long as something that was submitted waits or runs."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what must not go on without whoever watches it."""
