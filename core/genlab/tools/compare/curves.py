"""Curves of a run, by what its listeners wrote. Importing this imports no torch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from genlab.drawing.curves import Band
from genlab.interfaces.listener import Interval

_MOST_POINTS = 60
"""Points of a curve of losses; each is of several steps."""


def read_curves(run: Path) -> dict[str, Band]:
    """A run's metrics and losses by name and step; of losses the mean, the least and the most of some steps each.

    They are in `metrics.jsonl`, and of trials of an ablation metrics are in `history.json`. Lines that are damaged are
    left out, and so are figures that are not finite.
    """
    metrics: dict[str, dict[int, float]] = {}
    losses: dict[str, dict[int, float]] = {}
    for event in _events(run):
        kind, found = ("metrics", metrics) if event.get("event") == "validation" else ("losses", losses)
        for name, value in _figures(event.get(kind)):
            found.setdefault(name, {})[event["step"]] = value
    exact = {name: {step: Interval(*[value] * 3) for step, value in at.items()} for name, at in metrics.items()}
    return {**exact, **{f"loss {name}": _thinned(at) for name, at in losses.items()}}


def _events(run: Path) -> Iterator[dict[str, Any]]:
    lines = run / "metrics.jsonl"
    if lines.is_file():
        with lines.open(encoding="utf-8", errors="replace") as file:
            yield from filter(None, map(_event, file))
        return
    history = run / "history.json"
    if history.is_file():
        for step, metrics in (_object(history.read_text(encoding="utf-8", errors="replace")) or {}).items():
            if step.isdecimal():
                yield {"event": "validation", "step": int(step), "metrics": metrics}


def _event(line: str) -> dict[str, Any] | None:
    event = _object(line)
    return event if event and isinstance(event.get("step"), int) else None


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _figures(values: object) -> Iterator[tuple[str, float]]:
    if isinstance(values, Mapping):
        for name, value in cast(Mapping[str, object], values).items():
            if isinstance(value, int | float) and math.isfinite(value):
                yield name, float(value)


def _thinned(values: Mapping[int, float]) -> Band:
    """At most `_MOST_POINTS` intervals of consecutive steps, each at its last step."""
    steps = sorted(values)
    each = -(-len(steps) // _MOST_POINTS)
    groups = [steps[start : start + each] for start in range(0, len(steps), each or 1)]
    return {group[-1]: _interval([values[step] for step in group]) for group in groups}


def _interval(values: Sequence[float]) -> Interval:
    return Interval(min(values), sum(values) / len(values), max(values))
