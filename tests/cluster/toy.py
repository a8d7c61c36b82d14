"""A toy ablation of four trials whose steps wait as long as a file says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import genlab

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


def write_toy(folder: Path, tiny: Path) -> list[str]:
    """Write the recipe and its plugin; the words of the command that trains it."""
    (folder / "slow.py").write_text(SLOW.format(flag=str(folder / "flag")))
    (folder / "toy.toml").write_text(RECIPE.format(tiny=str(tiny)))
    return ["ablate", "toy.toml", "--plugin", "slow.py"]


def train_locally(folder: Path, name: str) -> Path:
    """The folder of the same ablation, trained by local jobs."""
    genlab.ablate(folder / "toy.toml", out=folder / name, jobs=2, plugins=[folder / "slow.py"])
    return folder / name


def await_true(condition: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def has_checkpoint(folder: Path) -> bool:
    return bool(list(folder.glob("trials/*/*/checkpoints/[0-9]*")))
