"""`gen board`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def board(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run, or a folder of runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the server; 0 for any free one.")] = 6006,
) -> None:
    """Open TensorBoard on one or more runs, until Ctrl-C."""
    from genlab.errors import RunError

    if not folder.is_dir():
        raise RunError("there is no such folder", where=str(folder), hint="Train a recipe first: gen run RECIPE")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    # By default TensorBoard keeps ten pictures of a tag, and drops the rest.
    command += ["--samples_per_plugin", "images=100"]
    # Replaces this process, so that a signal to it ends TensorBoard.
    os.execv(sys.executable, command)
