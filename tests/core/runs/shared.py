"""Runs of several processes: their commands, and an objective that notes each step and ends a process at one."""

from __future__ import annotations

import os
import socket
import subprocess
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PLUGIN = """
import os
import signal
from pathlib import Path

import genlab


class Trap(genlab.Objective):
    \"\"\"Adds nothing.\"\"\"

    needs_discriminator = False

    def forward(self, step):
        number, rank = step.position.step, os.environ.get("RANK", "0")
        folder = Path(os.environ["TRAP"])
        with (folder / f"seen-{rank}").open("a") as file:
            file.write(f"{number} {' '.join(map(str, step.draws.samples))}\\n")
        sprung = folder / "sprung"
        if os.environ.get("TRAP_AT") == f"{rank}/{number}" and not sprung.exists():
            sprung.touch()
            if os.environ["TRAP_DOES"] == "raise":
                raise genlab.TrainingError("the trap was sprung")
            os.kill(os.getpid(), getattr(signal, os.environ["TRAP_DOES"]))
        return 0 * step.prediction.mean()


@genlab.hookimpl
def genlab_register(registry):
    registry.loss("trap", Trap)
"""

SETTINGS = [
    "train.batch_size=6",
    "data.count=7",
    "generator.dropout=0.0",
    "generator.norm=instance",
    "discriminator.norm=instance",
    "losses={l1=false, l2={weight=10}, trap={}}",
    # Updates in proportion to gradients: Adam's own divide rounding errors by their size.
    "optimizer.epsilon=1.0",
    "optimizer.learning_rate=0.02",
]


def options(folder: Path, *more: str) -> list[str]:
    """Options of `gen run` for a recipe with the trap, whose notes are in a folder."""
    plugin = folder / "trap.py"
    plugin.write_text(PLUGIN)
    return ["--plugin", str(plugin), *(word for value in [*SETTINGS, *more] for word in ("--set", value))]


def variables(folder: Path, at: str = "", does: str = "") -> dict[str, str]:
    """The environment of such a run: at `RANK/STEP`, counted from 0, it `raise`s or gets a signal once."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRAP")},
        "TRAP": str(folder),
        "TRAP_AT": at,
        "TRAP_DOES": does,
        "GLOO_SOCKET_IFNAME": "lo",
    }


def environments(size: int) -> list[dict[str, str]]:
    """The variables of each of several processes, as torchrun sets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "GLOO_SOCKET_IFNAME": "lo",
    }
    return [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]


def run_all(command: Sequence[str | Path], size: int, environment: dict[str, str]) -> list[tuple[int, str]]:
    """Run a command in several processes at once: their exit codes, and what they print to standard error."""

    def run(variables: dict[str, str]) -> tuple[int, str]:
        given = {**environment, **variables}
        done = subprocess.run(list(map(str, command)), env=given, capture_output=True, text=True, timeout=100)
        return done.returncode, done.stderr

    with ThreadPoolExecutor() as pool:
        return list(pool.map(run, environments(size)))


def positions(folder: Path) -> Counter[int]:
    """How often each position of the training was seen by the last attempt at its step."""
    steps: dict[int, dict[str, list[int]]] = {}
    for file in folder.glob("seen-*"):
        for line in file.read_text().splitlines():
            step, *samples = map(int, line.split())
            steps.setdefault(step, {})[file.name] = samples
    return Counter(sample for by_process in steps.values() for samples in by_process.values() for sample in samples)
