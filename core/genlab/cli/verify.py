"""`gen verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import DeviceName, JsonOption, OverwriteOption, RunArgument, TrustOption


def verify(
    run: RunArgument,
    overrides: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Say where data are, such as data.root=/new/place. Repeatable."
        ),
    ] = [],  # noqa: B006  (typer copies it)
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            metavar="N",
            help="Train the first N steps again; by default those to the first values that the run recorded.",
        ),
    ] = None,
    device: Annotated[DeviceName | None, typer.Option(help="Device to train on; by default the run's.")] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            help="Largest relative difference of values; by default none where the run's machine is this one's CPU.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the certificate to a file.")] = None,
    overwrite: OverwriteOption = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Verify data, code, checkpoints and retrained steps against what a run recorded, and print a certificate."""
    import genlab
    from genlab.cli.output import make_console, print_data, print_json, progress_bar

    with progress_bar("steps") as on_progress:
        certificate = genlab.verify(
            run,
            overrides=overrides,
            steps=steps,
            device=device.value if device else None,
            tolerance=tolerance,
            out=out,
            overwrite=overwrite,
            trust=trust,
            on_progress=on_progress,
        )
    if json:
        print_json(certificate.as_json())
    else:
        print_data(certificate.markdown().rstrip("\n"))
        make_console(stderr=True).print(f"\n{certificate.summary}")  # the certificate's own is out of sight by then
    if certificate.outcome == "differs":
        raise typer.Exit(1)
