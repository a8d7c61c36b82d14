"""`gen compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import (
    CheckpointOption,
    DeviceName,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    RunsArgument,
    TrustOption,
)

if TYPE_CHECKING:
    from genlab import Comparison


def compare(
    runs: RunsArgument,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page with curves, and pictures side by side.")
    ] = None,
    checkpoint: CheckpointOption = "last",
    device: DeviceOption = DeviceName.AUTO,
    overwrite: OverwriteOption = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Compare runs with the first: changed settings, and metrics on the same images, with intervals."""
    import genlab
    from genlab.cli.output import print_json, print_next, progress_bar

    with progress_bar("images") as on_progress:
        found = genlab.compare_runs(
            runs,
            html=html,
            checkpoint=checkpoint,
            device=device.value,
            overwrite=overwrite,
            trust=trust,
            on_progress=on_progress,
        )
    if json:
        print_json(found.as_json())
        return
    _print(found)
    if html:
        print_next({"see curves and pictures": str(html)})


def _print(found: Comparison) -> None:
    from genlab.cli.data_display import print_warning
    from genlab.cli.output import make_console, print_table
    from genlab.tools.compare.tables import RUN_COLUMNS, SCORE_COLUMNS, changed_rows, method, run_rows, score_rows

    console = make_console()
    console.print()
    print_table(RUN_COLUMNS, run_rows(found), right=("images",))
    console.print()
    if found.changed:
        print_table(("changed", *(run.name for run in found.runs)), changed_rows(found))
    else:
        console.print("Their recipes are the same.")
    console.print()
    if found.metrics:
        rows = [row for metric in found.metrics for row in score_rows(found, metric)]
        print_table(SCORE_COLUMNS, rows, right=("value", "difference", "n"))
        console.print(f"\n{method(found, rows)}\n", style="dim")
    for caution in found.cautions():
        print_warning(caution)
