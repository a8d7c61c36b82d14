"""Console progress of a run, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from rich import console
from rich.text import Text
from typing_extensions import override

from genlab import CheckpointSaved, Ended, Listener, Previewed, Started, Step, Validated
from genlab_listeners.display import Display, Log, Screen
from genlab_listeners.progress import Progress, clock, figures, in_column, printable
from genlab_listeners.step_time import StepTime

_COLORS = {"finished": "green", "paused": "yellow", "interrupted": "yellow", "failed": "red"}


class Console(Listener):
    """Prints settings, progress with ETA, validation metrics and the end of a run to standard error.

    On a terminal progress is a bar; elsewhere it is a plain line after each tenth and each minute.
    """

    @override
    def started(self, event: Started) -> None:
        self._pace = StepTime(time.monotonic())
        self._progress = Progress(event.step, event.steps, event.batch_size, self._pace)
        self._display = _display(self._progress)
        self._display.line(Text(printable(event.title), "bold"))
        facts = dict(event.facts)
        if event.step:
            facts["resumed"] = f"after step {event.step} of {event.steps}"
        self._display.columns({printable(name): Text(printable(fact)) for name, fact in facts.items()})

    @override
    def step(self, event: Step) -> None:
        self._pace.step(time.monotonic())
        self._progress.step = event.step
        if event.values is not None:
            self._progress.losses, self._progress.losses_step = event.values.losses, event.step
        self._display.progress(self._progress)

    @override
    def previewed(self, event: Previewed) -> None:
        self._pace.pause(time.monotonic())

    @override
    def checkpoint_saved(self, event: CheckpointSaved) -> None:
        self._pace.pause(time.monotonic())

    @override
    def validated(self, event: Validated) -> None:
        self._pace.pause(time.monotonic())
        if not event.metrics:
            return
        name = f"step {in_column(event.step, self._progress.steps)}"
        self._display.columns({name: _summary(event.metrics)})

    @override
    def ended(self, event: Ended) -> None:
        self._display.close()
        text = Text.assemble((event.status, f"bold {_COLORS[event.status]}"))
        text.append(f" at step {event.step}/{self._progress.steps} after {clock(event.seconds)}")
        if event.ended_early:
            text.append(printable(f", ended early by {event.ended_early.by}: {event.ended_early.reason}"))
        if validation := _side("validation", event.metrics):
            text = Text("   ").join([text, figures("last validation", validation)])
        if event.best and event.best.is_found:
            best = f"best {event.best.score} {event.best.value:.4g} at step {event.best.step}"
            text = Text("   ").join([text, Text(printable(best))])
        self._display.line(text)


def _display(progress: Progress) -> Display:
    """The one that fits where standard error goes."""
    stream = console.Console(stderr=True, highlight=False)
    movable = sys.stderr.isatty() and not stream.is_dumb_terminal
    return Screen(stream, progress) if movable else Log(stream, progress)


def _summary(metrics: Mapping[str, float]) -> Text:
    """Validation metrics, and for the first of them how training pairs fare."""
    text = figures("validation", _side("validation", metrics))
    gaps = _side("gap", metrics)
    for name, value in list(_side("train", metrics).items())[:1]:
        text = Text("   ").join([text, figures("train", {name: value})])
        text.append(f" (gap {gaps[name]:+.2g})")
    return text


def _side(side: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics of one side, by the rest of their names."""
    return {key.removeprefix(f"{side}/"): value for key, value in metrics.items() if key.startswith(f"{side}/")}
