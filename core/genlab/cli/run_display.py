"""Lists of runs in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.filesize import decimal
from rich.text import Text

from genlab.cli.output import make_console, print_table
from genlab.runs.listed_run import ListedRun
from genlab.runs.run_list import RunList
from genlab.util.escapes import one_line

_MOST_TITLE, _LEAST_TITLE = 24, 12
_GAP = 2


def print_runs(found: RunList, metrics: Sequence[str]) -> None:
    """Print runs as a table, and below it the folders that are none.

    Args:
        found: the runs. Their recipes' titles are shortened to fit, or left out where there is no room for them.
        metrics: names of the metrics or values to show; by default the one that most runs have first.
    """
    shown = metrics or list(filter(None, [found.main_metric()]))
    columns = ["run", "recipe", "status", "step", *shown, "size", "age"]
    if any(run.ablation for run in found.runs):
        columns.append("trial of")
    if any(run.annotation.tags for run in found.runs):
        columns.append("tags")
    if any(run.annotation.note for run in found.runs):
        columns.append("note")
    rows = [_cells(run, shown) for run in found.runs]
    if rows:
        widths = {column: max(len(it) for it in (column, *(row[column] for row in rows))) + _GAP for column in columns}
        room = make_console().width - (sum(widths.values()) - widths["recipe"])
        if room < min(_LEAST_TITLE, widths["recipe"] - _GAP):
            columns.remove("recipe")
        rows = [row | {"recipe": _shortened(row["recipe"], min(room, _MOST_TITLE))} for row in rows]
        print_table(
            columns, [[row[column] for column in columns] for row in rows], right=("step", *shown, "size", "age")
        )
    console = make_console(soft_wrap=True)
    if not rows:
        console.print("No such runs.")
    for path, reason in found.problems.items():
        console.print(Text(f"{one_line(str(path))}: ", "yellow").append(one_line(reason), "default"))


def _cells(run: ListedRun, shown: Sequence[str]) -> dict[str, str]:
    manifest = run.manifest
    return {
        "run": str(run.path),
        "recipe": manifest.title,
        "status": manifest.status,
        "step": "converted" if manifest.conversion else f"{manifest.step:,}/{manifest.steps:,}",
        **{name: _figure(run, name) for name in shown},
        "size": decimal(run.bytes),
        "age": age(datetime.now(UTC) - run.updated),
        "trial of": run.ablation.name if run.ablation else "",
        "tags": ", ".join(run.annotation.tags),
        "note": run.annotation.note,
    }


def _shortened(title: str, most: int) -> str:
    """A title of at most so many letters, so that a run's path has its place in a terminal."""
    return title if len(title) <= most else f"{title[: most - 1].rstrip()}…"


def _figure(run: ListedRun, name: str) -> str:
    """A metric or value; of a metric the step that it was measured at, if that is not the run's own."""
    value, manifest = run.values.get(name), run.manifest
    if value is None:
        return "-"
    figure = f"{value:.4g}" if isinstance(value, float) else str(value)
    is_earlier = name in manifest.metrics and manifest.metrics_step not in (None, manifest.step)
    return f"{figure} (at {manifest.metrics_step:,})" if is_earlier else figure


def age(passed: timedelta) -> str:
    """Time since something, in its largest unit: `5 min`, `3 h`, `12 d`."""
    seconds = max(0, int(passed.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
