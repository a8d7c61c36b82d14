"""`gen work`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import TrustOption

_UNITS = (3600, 60, 1)


def _parse_duration(text: str) -> float:
    """Seconds of a duration such as `3h50m`."""
    found = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", text)
    counts = found.groups("0") if found else ()
    seconds = sum(int(count) * unit for count, unit in zip(counts, _UNITS, strict=False))
    if not seconds:
        raise typer.BadParameter(f'expected a time such as 3h50m, 90m or 30s, got "{text}"')
    return float(seconds)


def work(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of an ablation that is planned.")],
    until: Annotated[
        float | None,
        typer.Option(
            "--until",
            metavar="TIME",
            parser=_parse_duration,
            help="Save the running trial after this time, such as 3h50m, and end; it is resumed by another worker.",
        ),
    ] = None,
    trust: TrustOption = False,
) -> None:
    """Train trials of an ablation, one after the other, beside other workers on this machine or others."""
    import time

    import genlab
    from genlab.cli.output import make_console
    from genlab.cli.trial_display import Show

    end = time.monotonic() + until if until is not None else float("inf")
    found = genlab.AblationWorker(folder, trust=trust)
    with Show(found.steps, found.time_estimate(), 1, found.planned.schedule.is_sequential) as show:
        found.train(show, lambda: time.monotonic() >= end)
    console = make_console(stderr=True)
    if time.monotonic() >= end and show.was_interrupted:
        console.print("The time is up: the trial is saved, for another worker to resume.")
        raise typer.Exit(0)
    raise typer.Exit(show.exit_code)
