"""Progress of a long run in a file."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from genlab_listeners import display
from genlab_listeners.progress import Progress
from genlab_listeners.step_time import StepTime


def lines_of_long_run(values_every: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Progress lines of the first fifth of a second of a long run, with one due each fiftieth."""
    monkeypatch.setattr(display, "_SECONDS_BETWEEN_LINES", 0.02)
    file, pace = io.StringIO(), StepTime(time.monotonic())
    progress = Progress(0, 80_000, 1, pace)
    log = display.Log(Console(file=file), progress)
    for step in range(1, 101):
        time.sleep(0.002)
        pace.step(time.monotonic())
        progress.step = step
        if step % values_every == 0:
            progress.losses, progress.losses_step = {"generator/l1": float(step)}, step
        log.progress(progress)
    return file.getvalue().splitlines()


def test_lines_come_by_time_with_the_losses_of_their_step(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of_long_run(5, monkeypatch)
    found = [re.fullmatch(r"step +(\d+)/80000  \d+ images/s  [\d:]+ left  generator l1 (\d+)", line) for line in lines]
    assert len(found) >= 4
    assert all(match and match[1] == match[2] for match in found), lines


def test_a_line_comes_without_losses_where_they_are_seldom_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of_long_run(1000, monkeypatch)
    assert len(lines) >= 2
    assert not any("l1" in line for line in lines)
