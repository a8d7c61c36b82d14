"""Order of the runs of a list. Importing this imports no torch."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from genlab.runs.listed_run import ListedRun

_log = logging.getLogger("genlab")

SORTED_BY: Mapping[str, Callable[[ListedRun], Any]] = {
    "age": lambda run: -run.updated.timestamp(),
    "name": lambda run: run.name,
    "recipe": lambda run: run.manifest.title,
    "size": lambda run: run.bytes,
    "status": lambda run: run.manifest.status,
    "step": lambda run: run.manifest.step,
}


def in_order(runs: Sequence[ListedRun], sort: str, *, reverse: bool) -> list[ListedRun]:
    """Runs in the order of a key: of a metric the best first, of others the least; those without a value are last.

    Args:
        runs: the runs.
        sort: one of `SORTED_BY`, a metric, or a dotted key of the recipe.
        reverse: whether to reverse that order.
    """
    keys = [SORTED_BY[sort](run) if sort in SORTED_BY else run.values.get(sort) for run in runs]
    there = [(key, run) for key, run in zip(keys, runs, strict=True) if not _is_nothing(key)]
    if not all(isinstance(key, int | float) for key, _ in there):
        there = [(str(key), run) for key, run in there]
    rest = [run for key, run in zip(keys, runs, strict=True) if _is_nothing(key)]
    descending = reverse != _is_higher_better(runs, sort)
    return [*(run for _, run in sorted(there, key=itemgetter(0), reverse=descending)), *rest]


def _is_higher_better(runs: Sequence[ListedRun], sort: str) -> bool:
    """True for a metric whose better direction, as the first run with it recorded it, is up."""
    side, _, score = sort.partition("/")
    if side not in ("validation", "train") or not any(sort in run.manifest.metrics for run in runs):
        return False
    for run in runs:
        if score in run.manifest.higher_is_better:
            return run.manifest.higher_is_better[score]
    _log.warning("These runs did not record whether a higher %s is better: the lowest is first.", sort)
    return False


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
