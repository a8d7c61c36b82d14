"""Displays of a run: a terminal with a progress bar, or a plain stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from genlab_listeners.progress import Progress

_WIDEST = 110
_SECONDS_BETWEEN_DRAWINGS = 0.1
_SECONDS_BETWEEN_LINES = 60.0


class Display(Protocol):
    """Common interface of both kinds of output."""

    def line(self, text: Text) -> None:
        """Print a line that stays."""

    def columns(self, rows: Mapping[str, Text]) -> None:
        """Print names and texts side by side."""

    def progress(self, progress: Progress) -> None:
        """Show how far the run is, if it is time to."""

    def close(self) -> None:
        """Restore the terminal."""


class Screen:
    """A terminal, with a bar at the bottom that goes away in the end; what is printed meanwhile appears above it.

    The bar is drawn after a step, not by a separate thread.
    """

    def __init__(self, terminal: Console, progress: Progress) -> None:
        self._terminal = terminal
        self._progress = progress
        self._drawn = 0.0
        self._live = Live(
            get_renderable=self._bar,
            console=terminal,
            auto_refresh=False,
            transient=True,
            # Standard output that goes elsewhere may carry what a program wants to read.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start()

    def line(self, text: Text) -> None:
        """Print a line."""
        self._terminal.print(text)

    def columns(self, rows: Mapping[str, Text]) -> None:
        """Print names and values in two columns."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in rows.items():
            grid.add_row(Text(name), text)
        self._terminal.print(grid)

    def progress(self, progress: Progress) -> None:
        """Show the progress."""
        self._progress = progress
        now = time.monotonic()
        if now - self._drawn >= _SECONDS_BETWEEN_DRAWINGS or progress.step == progress.steps:
            self._drawn = now
            self._live.refresh()

    def close(self) -> None:
        """Remove the progress bar."""
        self._live.stop()

    def _bar(self) -> Group:
        progress = self._progress
        row = Table.grid(padding=(0, 2, 0, 0), expand=True)
        row.width = min(self._terminal.width, _WIDEST)
        row.add_column(ratio=1)
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True, min_width=12, justify="right")
        row.add_column(no_wrap=True, min_width=12, justify="right")
        row.add_row(_bar_of(progress), progress.count, progress.rate, progress.left)
        losses = progress.loss_terms
        losses.no_wrap = True
        losses.overflow = "ellipsis"
        return Group(row, losses)


def _bar_of(progress: Progress) -> ProgressBar:
    """In colors that can be seen on white as well as on black."""
    return ProgressBar(
        progress.steps, progress.step, style="bright_black", complete_style="cyan", finished_style="cyan"
    )


class Log:
    """A stream that keeps every line: no colors, nothing that moves.

    A line of progress is due after each tenth of the run and each minute, and waits for a step whose losses are read.
    """

    def __init__(self, stream: Console, progress: Progress) -> None:
        self._stream = stream
        self._tenth = progress.tenth
        self._next = time.monotonic()

    def line(self, text: Text) -> None:
        """Print a line."""
        self._stream.print(text, soft_wrap=True)

    def columns(self, rows: Mapping[str, Text]) -> None:
        """Print names and values in two columns."""
        width = max(map(len, rows), default=0)
        for name, text in rows.items():
            self.line(Text.assemble(name.ljust(width), "  ", text))

    def progress(self, progress: Progress) -> None:
        """Show the progress."""
        now = time.monotonic()
        is_due = progress.tenth > self._tenth or now >= self._next
        # Where losses are seldom read, the line comes without them.
        is_late = now >= self._next + _SECONDS_BETWEEN_LINES
        is_read = progress.losses_step == progress.step
        if progress.step < progress.steps and (is_late or (is_due and is_read)):
            self._tenth, self._next = progress.tenth, now + _SECONDS_BETWEEN_LINES
            losses = progress.loss_terms.plain if is_read else ""
            words = [f"step {progress.count}", progress.rate, progress.left, losses]
            self.line(Text("  ".join(word for word in words if word)))

    def close(self) -> None:
        """Do nothing."""
