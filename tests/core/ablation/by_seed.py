"""Ablations whose scores are written down beforehand, by arm and seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

PLUGIN = """
import math
import tomllib

import genlab

SEED = [0]


class Seed(genlab.Listener):
    def started(self, event):
        SEED[0] = tomllib.loads(event.recipe)["seed"]


class BySeed(genlab.Metric):
    \"\"\"Gives values that were written down, one for each seed: "nan" is none, and "fails" ends the training.\"\"\"

    higher_is_better = False

    def __init__(self, *, values: list[str] = []) -> None:
        self.values = values

    def update(self, condition, target, prediction): ...

    def compute(self):
        value = self.values[SEED[0]] if SEED[0] < len(self.values) else "0"
        return float(value)

    def reset(self): ...

    def merge(self, other): ...


@genlab.hookimpl
def genlab_register(registry):
    registry.metric("by_seed", BySeed)
    registry.listener("seed", Seed)
"""

RECIPE = """
extends = {tiny!r}
title = "Which arm differs?"
data = {{ name = "side_by_side", root = {root!r} }}

[train]
steps = 1

[evaluate]
validations = 1
previews = 1
preview_pairs = 1
pairs = 1

[evaluate.metrics.by_seed]

[listeners.seed]

[ablation]
baseline = "base"
metric = "validation/by_seed"
{settings}
"""

Score = float | str


def write_question(folder: Path, tiny: Path, settings: str, arms: Mapping[str, Sequence[Score]]) -> tuple[Path, Path]:
    """Write the recipe of an ablation whose arms have these scores by seed, and the plugin that gives them."""
    tables = [
        f"[ablation.arms.{arm}]\nevaluate.metrics.by_seed.values = {[str(score) for score in scores]}\n"
        for arm, scores in arms.items()
    ]
    recipe, plugin, root = folder / "question.toml", folder / "by_seed.py", folder / "pairs"
    for split in ("train", "val"):
        (root / split).mkdir(parents=True)
        noisy = np.random.default_rng(0).integers(0, 256, (36, 72, 3), dtype=np.uint8)
        Image.fromarray(noisy).save(root / split / "pair.png")
    recipe.write_text(RECIPE.format(tiny=str(tiny), root=str(root), settings=settings) + "\n".join(tables))
    plugin.write_text(PLUGIN)
    return recipe, plugin


def noise(index: int) -> float:
    """Noise of a standard deviation of about 1, the same on every machine."""
    return 1.4 * math.sin(12.9898 * (index + 1) ** 2)
