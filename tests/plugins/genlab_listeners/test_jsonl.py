"""`metrics.jsonl` is what other programs read: each line is whole, valid, and of this run's history."""

from __future__ import annotations

import json
import math
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genlab import CheckpointSaved, Ended, Started, Step, Validated
from genlab_listeners.jsonl import JSONLines

StartedAt = Callable[[int], Started]
Measured = Callable[..., Step]


def read(folder: Path) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_constant=refuse) for line in lines]


def steps(folder: Path, event: str) -> list[int]:
    return [record["step"] for record in read(folder) if record["event"] == event]


def test_every_event_becomes_a_line(folder: Path, started: StartedAt, measured: Measured) -> None:
    before = time.time()
    listener = JSONLines()
    listener.started(started(0))
    listener.step(measured(10))
    listener.validated(Validated(10, {"validation/l1": 0.3, "train/l1": 0.25, "gap/l1": 0.05}))
    listener.checkpoint_saved(CheckpointSaved(10, folder / "checkpoints" / "10"))
    listener.ended(Ended(10, "paused", 12.5, metrics={"validation/l1": 0.3}))

    records = read(folder)
    for record in records:
        assert before - 1 <= record.pop("time") <= time.time() + 1
    assert records == [
        {"event": "started", "step": 0, "title": "Ünet", "steps": 100, "batch_size": 4},
        {
            "event": "step",
            "step": 10,
            "losses": {"generator/l1": 0.5},
            "learning_rates": {"generator": 2e-4},
            "gradient_norms": {"generator/encoder 1": 3.0},
            "weight_norms": {"generator/encoder 1": 20.0},
            "total_gradient_norms": {"generator": 5.0},
            "images_per_second": 8.5,
            "waiting": 0.25,
        },
        {
            "event": "validation",
            "step": 10,
            "metrics": {"validation/l1": 0.3, "train/l1": 0.25, "gap/l1": 0.05},
        },
        {"event": "checkpoint", "step": 10},
        {"event": "ended", "step": 10, "status": "paused", "seconds": 12.5, "metrics": {"validation/l1": 0.3}},
    ]


def test_a_step_whose_figures_were_not_read_leaves_no_line(folder: Path, started: StartedAt) -> None:
    listener = JSONLines()
    listener.started(started(0))
    listener.step(Step(1, None))
    assert steps(folder, "step") == []


def test_a_line_can_be_read_as_soon_as_its_event_was_told(folder: Path, started: StartedAt, measured: Measured) -> None:
    listener = JSONLines()
    listener.started(started(0))
    for step in (1, 2, 3):
        listener.step(measured(step))
        assert steps(folder, "step")[-1] == step


def test_a_process_that_dies_leaves_whole_lines(folder: Path, python: list[str]) -> None:
    script = """
import os, sys
from pathlib import Path
from genlab import Started, Validated
from genlab_listeners.jsonl import JSONLines
listener = JSONLines()
listener.started(Started(Path(sys.argv[1]), "", "", {}, 0, 9, 1))
listener.validated(Validated(3, {"validation/l1": 0.5}))
os._exit(9)
"""
    assert subprocess.run([*python, "-c", script, str(folder)], check=False).returncode == 9
    assert steps(folder, "validation") == [3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_null(folder: Path, started: StartedAt, measured: Measured, value: float) -> None:
    listener = JSONLines()
    listener.started(started(0))
    listener.step(measured(1, loss=value))
    listener.ended(Ended(1, "failed", value))
    _, step, ended = read(folder)
    assert step["losses"] == {"generator/l1": None}
    assert step["learning_rates"] == {"generator": 2e-4}
    assert ended["seconds"] is None


def test_a_resumed_run_forgets_what_came_after_its_checkpoint(
    folder: Path, started: StartedAt, measured: Measured
) -> None:
    listener = JSONLines()
    listener.started(started(0))
    for step in range(10, 60, 10):
        listener.step(measured(step, loss=1.0))
        listener.validated(Validated(step, {"validation/l1": 1.0}))

    resumed = JSONLines()
    resumed.started(started(30))
    resumed.step(measured(40, loss=2.0))

    assert steps(folder, "started") == [0, 30]
    assert steps(folder, "step") == [10, 20, 30, 40]
    assert steps(folder, "validation") == [10, 20, 30]
    assert read(folder)[-1]["losses"] == {"generator/l1": 2.0}
    assert [path.name for path in folder.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize(("validated", "kept"), [(True, [10, 20]), (False, [10])])
def test_a_validation_that_is_repeated_has_one_line(
    folder: Path, started: StartedAt, measured: Measured, validated: bool, kept: list[int]
) -> None:
    """As after a kill between a validation and the checkpoint that says that it is over."""
    listener = JSONLines()
    listener.started(started(0))
    for step in (10, 20):
        listener.step(measured(step))
        listener.validated(Validated(step, {"validation/l1": 1.0}))
    JSONLines().started(replace(started(20), validated=validated))
    assert steps(folder, "step") == [10, 20]
    assert steps(folder, "validation") == kept


@pytest.mark.parametrize(
    "torn", [b'{"event": "step", "st', b'{"event": "step", "step": 2, "x": "\xc3', b"\0" * 40, b"7"]
)
def test_a_line_that_was_cut_short_goes_away_on_resume(
    folder: Path, started: StartedAt, measured: Measured, torn: bytes
) -> None:
    listener = JSONLines()
    listener.started(started(0))
    listener.step(measured(1))
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(torn)

    JSONLines().started(started(50))

    assert [(record["event"], record["step"]) for record in read(folder)] == [
        ("started", 0),
        ("step", 1),
        ("started", 50),
    ]


def test_a_whole_last_line_that_lacks_only_its_end_is_kept(
    folder: Path, started: StartedAt, measured: Measured
) -> None:
    listener = JSONLines()
    listener.started(started(0))
    listener.step(measured(1))
    file = folder / "metrics.jsonl"
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))

    JSONLines().started(started(1))

    assert [record["event"] for record in read(folder)] == ["started", "step", "started"]
