"""`gen board`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run, or a folder of runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 6006,
) -> None:
    """Show runs in TensorBoard, until Ctrl-C."""
    import signal
    import subprocess

    from genlab.errors import RunError

    if not folder.is_dir():
        raise RunError("there is no such folder", where=str(folder), hint="Train something first: gen run RECIPE")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    # By default TensorBoard keeps ten pictures of a tag, and drops the rest.
    command += ["--samples_per_plugin", "images=100"]
    with subprocess.Popen(command) as process:
        # Ctrl-C comes to TensorBoard too, and is how it ends.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise typer.Exit(max(0, process.wait()))
