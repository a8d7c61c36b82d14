"""`gen resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.completion import complete_run
from genlab.cli.options import DevicesOption, StopAtOption, TrustOption


def resume(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="Folder of a run; by default the newest in runs/ that can be resumed.",
            autocompletion=complete_run,
        ),
    ] = None,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a value of the recipe from here on, such as train.steps=20000 (continues a finished run), "
            "optimizer.learning_rate=1e-4, or data.root=/new/place. Repeatable; recorded in run.json.",
        ),
    ] = [],  # noqa: B006  (typer copies it)
    allow_changed_data: Annotated[
        bool, typer.Option("--allow-changed-data", help="Resume with changed data; recorded in run.json.")
    ] = False,
    stop_at: StopAtOption = None,
    devices: DevicesOption = 1,
    trust: TrustOption = False,
) -> None:
    """Resume a run from its last checkpoint."""
    import genlab
    from genlab.cli.ending import end
    from genlab.cli.launch import launch
    from genlab.cli.output import progress_bar

    launch(devices)
    with progress_bar("reading the data") as on_progress:
        resumed = genlab.resume(
            run,
            overrides=overrides,
            allow_changed_data=allow_changed_data,
            stop_at=stop_at,
            trust=trust,
            on_progress=on_progress,
        )
    end(resumed)
