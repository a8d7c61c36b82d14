"""`gen predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import RunArgument


def predict(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="Image files, or folders of them.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Output folder for the predictions.")],
) -> None:
    """Predict from images of any size with a trained run."""
    import genlab

    for path in genlab.predict_files(genlab.open_run(run), images, out):
        typer.echo(path)
