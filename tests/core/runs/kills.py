"""Kill trainings at many moments, resume them, and compare what they leave with a training that was left alone.

`kills.py RECIPE PAIRS FOLDER COUNT` prints as JSON how many kills there were, and what was lost or differs. A moment is
either a change of a file, counted by Python's audit events, or a time, which may be in the middle of a write. Resumes
are killed too. Each training is a fork of this process, so that it need not import anything.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import genlab

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.chmod"}
SETTINGS = [
    "listeners={jsonl={}, previews={}, tensorboard={}}",
    "checkpoint={minutes=1e-9, keep=1, best='gap/l1'}",
    "evaluate.validations=4",
    "train.steps=4",
]
SPEEDS = {"time", "images_per_second", "waiting"}


def train(recipe: Path, folder: Path) -> None:
    """Start or resume a run, as its user would."""
    if (folder / "recipe.toml").exists():
        genlab.resume(folder)
    else:
        genlab.train(recipe, out=folder, overrides=SETTINGS)


def forked(action: Callable[[], object]) -> int:
    """Do it in a process of its own; returns the signal that ended it, or 0; `AssertionError` if it failed."""
    if (child := os.fork()) == 0:
        try:
            action()
        except BaseException as error:  # noqa: BLE001
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code <= 0, "a training failed"
    return -code


def on_changes(folder: Path, act: Callable[[int], None]) -> None:
    """Call `act` with the number of each change of a file below a folder, before it is made."""
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        is_reading = event == "open" and arguments[1] in ("r", "rb")
        if event in CHANGES and not is_reading and str(arguments[0]).startswith(str(folder)):
            count += 1
            act(count)

    sys.addaudithook(hook)


def kill_at_change(number: int, folder: Path) -> None:
    """End this process without notice, before a change of a file."""
    on_changes(folder, lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == number else None)


def kill_after(seconds: float) -> None:
    """End this process without notice, wherever it is then: nothing handles this signal."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def count_changes(recipe: Path, folder: Path) -> int:
    """Number of changes of files in a training."""
    reader, writer = os.pipe()

    def counted() -> None:
        on_changes(folder, lambda _: os.write(writer, b"."))
        train(recipe, folder)

    assert forked(counted) == 0
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        return len(file.read())


def remains(folder: Path) -> dict[str, Any]:
    """What a run leaves: its files but for times and speeds."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "tensorboard"]
    left: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes() for path in files if path.name not in ("run.json", ".lock")
    }
    for name in [name for name in left if name.endswith("state.json")]:
        left[name] = {key: value for key, value in json.loads(left[name]).items() if key not in ("run", "sha256")}
    lines = [json.loads(line) for line in left.pop("metrics.jsonl").splitlines()]
    left["metrics"] = [
        {key: value for key, value in line.items() if key not in SPEEDS}
        for line in lines
        if line["event"] in ("step", "validation")
    ]
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "scalars": 0}).Reload()
    tags = [tag for tag in events.Tags()["scalars"] if not tag.startswith("speed/")]
    left["curves"] = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}
    left["pictures"] = {tag: [event.step for event in events.Images(tag)] for tag in events.Tags()["images"]}
    manifest = json.loads((folder / "run.json").read_text())
    return left | {name: manifest[name] for name in ("status", "step", "metrics", "best", "failure", "signal")}


def is_finished(run: Path) -> bool:
    """True if a run says so."""
    return (run / "run.json").exists() and json.loads((run / "run.json").read_text())["status"] == "finished"


def attack(recipe: Path, run: Path, changes: int, seconds: float, moments: random.Random) -> list[str]:
    """Kill a training, and now and then a resume of it; returns the moments of the kills."""
    killed: list[str] = []
    for _ in range(moments.randint(1, 2)):
        change, time_limit = moments.randint(1, changes), moments.uniform(0, seconds)
        if moments.random() < 0.6:
            name, kill = f"before change {change}", partial(kill_at_change, change, run)
        else:
            name, kill = f"after {time_limit:.3f} s", partial(kill_after, time_limit)
        if not is_finished(run) and forked(lambda kill=kill: (kill(), train(recipe, run))):
            killed.append(name)
    return killed


def what_differs(recipe: Path, run: Path, whole: dict[str, Any]) -> list[str]:
    """Finish a run; returns what is lost or differs from one that was left alone."""
    try:
        if not is_finished(run):
            assert forked(lambda: train(recipe, run)) == 0, "it cannot be resumed"
        found = remains(run)
    except (AssertionError, OSError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]
    return sorted(name for name in {*found, *whole} if found.get(name) != whole.get(name))


def main(recipe: Path, pairs: Path, folder: Path, wanted: int) -> None:
    """Kill as often as wanted, at random moments."""
    SETTINGS.append(f"data={{name='side_by_side', root='{pairs}'}}")
    moments, run = random.Random(wanted), folder / "run"
    train(recipe, folder / "first")  # imports what trainings need
    changes = count_changes(recipe, folder / "whole")
    whole = remains(folder / "whole")
    assert whole["best"]["step"] < whole["step"], "the best is one that would rotate"
    began = time.monotonic()
    assert forked(lambda: train(recipe, folder / "timed")) == 0
    seconds = time.monotonic() - began
    kills, different = 0, []
    while kills < wanted:
        killed = attack(recipe, run, changes, seconds, moments)
        kills += len(killed)
        if wrong := what_differs(recipe, run, whole):
            different.append({"killed": killed, "differs": wrong})
        shutil.rmtree(run, ignore_errors=True)
    sys.stdout.write(json.dumps({"kills": kills, "changes": changes, "different": different}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), int(sys.argv[4]))
