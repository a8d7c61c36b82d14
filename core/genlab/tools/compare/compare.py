"""Comparison of runs on the same images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from genlab.errors import RunError
from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.kept_recipe import kept_recipe
from genlab.runs.opening import open_run
from genlab.runs.output_files import refuse_unwritable
from genlab.runs.run import Run
from genlab.tools.compare.comparison import Comparison
from genlab.tools.compare.measured_run import measure_run
from genlab.tools.compare.report import write_comparison_page
from genlab.util.arguments import as_path, checked_arguments


@checked_arguments
def compare_runs(
    runs: Iterable[str | Path],
    *,
    html: str | Path | None = None,
    checkpoint: CheckpointChoice = "last",
    device: str = "auto",
    overwrite: bool = False,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Comparison:
    """Compare trained runs with the first of them: recipes, metrics on the same validation pairs, curves, pictures.

    A run that cannot be measured, such as one whose data are not here, is compared by what it recorded; the
    comparison's `cautions` say so, and what else is not the same.

    Args:
        runs: the runs' folders, two at least.
        html: a file for a page with all of it, which needs no other file.
        checkpoint: of each run `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        overwrite: whether to replace that file.
        trust: whether to run code that came with a run of somebody else, and to remember it as trusted.
        on_progress: called with (done, total), in images.

    Raises:
        RunError: fewer than two runs, not a run, or no such checkpoint.
        StorageError: the file exists or cannot be written.
        DeviceError: the device asked for is not there.
    """
    paths = [as_path(run) for run in runs]
    _require_several(paths)
    if html is not None:
        refuse_unwritable(as_path(html), overwrite=overwrite)
    open_one = partial(open_run, checkpoint=checkpoint, device=device, trust=trust)
    found = _measure(paths, open_one, on_progress)
    if html is not None:
        write_comparison_page(found, as_path(html))
    return found


def _require_several(runs: Sequence[Path]) -> None:
    """Raise a `RunError` unless there are several runs, each of which is given once."""
    if len(runs) < 2:
        hint = "Give another run, such as one that `gen runs` lists."
        raise RunError("a comparison is of two runs at least", where=", ".join(map(str, runs)) or None, hint=hint)
    real = [run.resolve() for run in runs]
    if repeated := next((run for run, place in zip(runs, real, strict=True) if real.count(place) > 1), None):
        raise RunError("this run is given twice", where=str(repeated))


def _measure(
    paths: Sequence[Path], open_one: Callable[[Path], Run], on_progress: Callable[[int, int], None]
) -> Comparison:
    """Measure runs, one after the other, and compare them with the first.

    All measure as many pairs as the one whose recipe asks for the most.

    Args:
        paths: the runs' folders, several.
        open_one: opens a run.
        on_progress: called with (done, total), in images.
    """
    tables = [kept_recipe(open_one(path).folder).values for path in paths]
    most = max(table.get("evaluate", {}).get("pairs", 0) for table in tables)
    done, total = 0, most * len(paths)

    def count() -> None:
        nonlocal done
        done += 1
        on_progress(min(done, total - 1), total)

    # Each run is opened when it is its turn, so that the memory holds the networks of one.
    names = short_names(paths)
    measured = [measure_run(open_one(path), name, most, count) for path, name in zip(paths, names, strict=True)]
    on_progress(total, total)
    return Comparison(measured)


def short_names(paths: Sequence[Path]) -> list[str]:
    """Names of folders, with as many of the folders above as make them different."""
    parts = [Path(os.path.abspath(path)).parts for path in paths]  # noqa: PTH100
    names: list[str] = []
    for own in parts:
        length = next(
            length for length in range(1, len(own) + 1) if sum(it[-length:] == own[-length:] for it in parts) == 1
        )
        names.append("/".join(own[-length:]))
    return names
