"""Progress of reading data before a training begins."""

from __future__ import annotations

from types import TracebackType

from genlab.cli.output import progress_bar


class ReadingProgress:
    """A bar on standard error, gone as soon as all pairs are read: the training shows its own."""

    def __init__(self) -> None:
        self._progress = progress_bar()
        self._task = self._progress.add_task("reading the data", total=None)

    def __enter__(self) -> ReadingProgress:
        self._progress.start()
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show how many pairs of how many are read."""
        self._progress.update(self._task, completed=done, total=total)
        if done == total:
            self._progress.stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
