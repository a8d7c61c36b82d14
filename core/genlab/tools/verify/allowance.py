"""Limit of how far values may be off when steps are trained again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from genlab.assemble.recipe import Recipe
from genlab.runs.manifest import Manifest

_TOLERANCE = {"float32": 1e-3, "bfloat16": 5e-2, "float16": 5e-2}


class Allowance(NamedTuple):
    """Limit of how far values may be off.

    Args:
        relative: the largest relative difference; 0 for none.
        reason: why there may be one.
    """

    relative: float
    reason: str


def find_allowance(
    manifest: Manifest,
    recipe: Recipe,
    machine: Mapping[str, str],
    versions: Mapping[str, str],
    tolerance: float | None,
) -> Allowance:
    """Limit of how far values may be off here.

    Args:
        manifest: the run's.
        recipe: as it is trained here.
        machine: this one.
        versions: of the libraries here.
        tolerance: what was asked for.
    """
    train = recipe.settings.train
    reasons = [
        f"{word} ({known.get(name)} when trained, {here.get(name)} here)"
        for word, name, known, here in (
            ("another device or number of threads", "device", manifest.machine, machine),
            ("another machine", "host", manifest.machine, machine),
            ("another version of PyTorch", "torch", manifest.versions, versions),
        )
        if known.get(name) != here.get(name)
    ]
    if train.device != "cpu":
        reasons.insert(0, f"{train.device} does not give the same bits each time")
    if tolerance is not None:
        return Allowance(tolerance, "; ".join(reasons) or "as asked for")
    return Allowance(_TOLERANCE[train.chosen_precision] if reasons else 0.0, "; ".join(reasons))
