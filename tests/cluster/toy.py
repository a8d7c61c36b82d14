"""Ablations whose trials stay at their third step as long as a file is there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SLOW = """
import time
from pathlib import Path

import genlab

FLAG = Path({flag!r})


class Slow(genlab.Listener):
    \"\"\"Stays at the third step as long as a file is there.\"\"\"

    def step(self, event):
        while event.step == 3 and FLAG.exists():
            time.sleep(0.1)


@genlab.hookimpl
def genlab_register(registry):
    registry.listener("slow", Slow)
"""

RECIPE = """
extends = {tiny!r}
title = "Do skips matter?"

[checkpoint]
minutes = 0.00001

[listeners.slow]

[ablation]
seeds = [0, 1]
baseline = "skips"
metric = "validation/l1"

[ablation.arms.skips]

[ablation.arms.no-skips]
generator.skips = false
"""


SKIPS = ["ablation_skips_small", "--plugin", "slow.py", "--set", "listeners.slow={}", "--set", "train.steps=4"]
SKIPS += ["--set", "checkpoint.minutes=0.00001", "--set", "train.threads=1", "--set", "evaluate.pairs=4"]
SKIPS += ["--set", 'data={name="drawn_facades", count=8, validation_count=4, size=70}', "--set", "ablation.seeds=[0]"]


def write_ablation(name: str, folder: Path, tiny: Path) -> list[str]:
    """Write what an ablation needs: the toy, or a short `ablation_skips_small`; the words of the command for it."""
    (folder / "slow.py").write_text(SLOW.format(flag=str(folder / "flag")))
    (folder / "toy.toml").write_text(RECIPE.format(tiny=str(tiny)))
    return ["ablate", *(["toy.toml", "--plugin", "slow.py"] if name == "toy" else SKIPS)]


def train_locally(folder: Path, words: list[str]) -> Path:
    """The folder of the same ablation, trained by local jobs."""
    command = [sys.executable, "-m", "genlab", *words, "--out", "local", "--jobs", "2"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "local"


def await_true(condition: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def has_checkpoint(folder: Path) -> bool:
    return bool(list(folder.glob("trials/*/*/checkpoints/[0-9]*")))
