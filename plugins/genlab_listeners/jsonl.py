"""Metrics of a run as JSON lines."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

from typing_extensions import override

from genlab import CheckpointSaved, Ended, Listener, Started, Step, Validated

Fact = str | int | float | Mapping[str, float]


class JSONLines(Listener):
    """Writes losses and metrics to `metrics.jsonl` in the run's folder, one JSON object per line.

    Every object has an `event` (started, step, validation, checkpoint or ended), the `step`, and the `time` in seconds
    since 1970. A step has losses, learning_rates, gradient_norms and weight_norms of levels, total_gradient_norms of
    networks, images_per_second and waiting (the share of the time in which the networks waited for pairs), loss_weights
    if some change over the training, and a line only where these were read. The end of a run that ended early says by
    what, `ended_by`, and the `reason`. A figure that is infinite or not a number is null, as JSON has no word for it.
    """

    @override
    def started(self, event: Started) -> None:
        self._file = event.folder / "metrics.jsonl"
        if self._file.exists():
            _forget_after(event, self._file)
        self._write("started", event.step, title=event.title, steps=event.steps, batch_size=event.batch_size)

    @override
    def step(self, event: Step) -> None:
        if event.values is None:
            return
        self._write(
            "step",
            event.step,
            losses=event.values.losses,
            learning_rates=event.values.learning_rates,
            gradient_norms=event.values.gradient_norms,
            weight_norms=event.values.weight_norms,
            total_gradient_norms=event.values.total_gradient_norms,
            images_per_second=event.values.images_per_second,
            waiting=event.values.waiting,
            **({"loss_weights": event.values.loss_weights} if event.values.loss_weights else {}),
        )

    @override
    def validated(self, event: Validated) -> None:
        self._write("validation", event.step, metrics=event.metrics)

    @override
    def checkpoint_saved(self, event: CheckpointSaved) -> None:
        self._write("checkpoint", event.step)

    @override
    def ended(self, event: Ended) -> None:
        facts: dict[str, Fact] = {"status": event.status, "seconds": event.seconds, "metrics": event.metrics}
        if event.ended_early:
            facts |= {"ended_by": event.ended_early.by, "reason": event.ended_early.reason}
        self._write("ended", event.step, **facts)

    def _write(self, event: str, step: int, **facts: Fact) -> None:
        record = {"event": event, "step": step, "time": round(time.time(), 3)}
        record |= {name: _finite(fact) for name, fact in facts.items()}
        # Opened for each line, so that a killed process leaves complete lines.
        with self._file.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _finite(fact: Fact) -> object:
    if isinstance(fact, Mapping):
        return {name: _finite(value) for name, value in fact.items()}
    return None if isinstance(fact, float) and not math.isfinite(fact) else fact


def _forget_after(started: Started, file: Path) -> None:
    """Remove lines after the checkpoint that the run resumes from, and an incomplete line."""
    aside = file.with_name(f".{file.name}.tmp")
    with file.open("rb") as lines, aside.open("wb") as kept:
        for line in lines:
            if _is_record_before(started, line):
                kept.write(line.rstrip(b"\r\n") + b"\n")
    aside.replace(file)


def _is_record_before(started: Started, line: bytes) -> bool:
    try:
        record = json.loads(line)
        is_repeated = record["event"] == "validation" and not started.validated
        return record["step"] < started.step + (not is_repeated)
    except (ValueError, TypeError, KeyError):
        return False
