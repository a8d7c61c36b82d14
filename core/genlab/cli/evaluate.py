"""`gen evaluate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.options import (
    CheckpointOption,
    DeviceName,
    DeviceOption,
    JsonOption,
    OverridesOption,
    OverwriteOption,
    RunArgument,
    TrustOption,
)

if TYPE_CHECKING:
    from genlab import Evaluation


class SplitName(StrEnum):
    """Split of the data."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


def evaluate(
    run: RunArgument,
    split: Annotated[
        SplitName | None, typer.Option(help="Split to measure on; by default test where there is one, else validation.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="ROOT", help="Folder with other data, read as the run's are.")
    ] = None,
    metric: Annotated[
        list[str], typer.Option(metavar="NAME", help="Metric to measure besides those of the recipe. Repeatable.")
    ] = [],  # noqa: B006  (typer copies it)
    overrides: OverridesOption = [],  # noqa: B006
    by: Annotated[
        str | None, typer.Option(metavar="METRIC", help="Metric that ranks the images of the HTML sheet.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Output folder; by default one in RUN/evaluations.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the scores of each image to this file.")
    ] = None,
    checkpoint: CheckpointOption = "last",
    device: DeviceOption = DeviceName.AUTO,
    overwrite: OverwriteOption = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Measure a trained run on a test split, with intervals, baselines, and its best and worst images."""
    import genlab
    from genlab.cli.output import print_json, progress_bar

    with progress_bar("pairs") as on_progress:
        found = genlab.evaluate(
            run,
            split=split.value if split else None,
            data=data,
            metrics=metric,
            overrides=overrides,
            by=by,
            out=out,
            csv=csv,
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


def _print(found: Evaluation) -> None:
    from genlab.cli.data_display import print_warning
    from genlab.cli.output import make_console, print_next, print_table

    head = f"\nStep {found.step:,} on the {found.split} split, n = {found.pairs:,}: {found.data}\n"
    make_console(soft_wrap=True).print(head)
    columns, *rows = found.table()
    print_table(columns, rows, right=columns[1:-1])
    make_console().print("", *found.legend(), "", sep="\n", style="dim")
    for note in found.notes:
        print_warning(note)
    folder = quote(str(found.folder))
    print_next(
        {"see its best, median and worst images": f"{folder}/evaluation.html", "of each image": f"{folder}/scores.csv"}
    )
