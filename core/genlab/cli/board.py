"""`gen board`."""

from __future__ import annotations

import os
import socket
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.completion import complete_board

_USUAL = 6006
"""The port that TensorBoard tries first."""


class LoadFast(StrEnum):
    """Loader of TensorBoard's data."""

    AUTO = "auto"
    TRUE = "true"
    FALSE = "false"


def board(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A run, an ablation, its trials, or a folder of runs.", autocompletion=complete_board
        ),
    ] = Path("runs"),
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Port of the server; 0 for any free one. By default 6006, or the next.",
        ),
    ] = None,
    bind_all: Annotated[bool, typer.Option("--bind_all", help="Serve other machines too.")] = False,
    load_fast: Annotated[
        LoadFast, typer.Option("--load_fast", help="Load data with TensorBoard's fast loader.")
    ] = LoadFast.AUTO,
) -> None:
    """Open TensorBoard on runs, or on the arms of an ablation, until Ctrl-C."""
    from genlab.cli.output import make_console
    from genlab.errors import GenlabError, RunError
    from genlab.util.escapes import one_line

    console = make_console(stderr=True, soft_wrap=True)
    try:
        is_folder = folder.is_dir()
    except OSError as error:
        raise RunError(f"the folder cannot be read: {error.strerror}", where=str(folder)) from error
    if not is_folder:
        hint = "Give the folder of a run, or train a recipe first: gen run RECIPE"
        raise RunError("there is no such folder", where=str(folder), hint=hint)
    if port and _is_taken(port):
        hint = "Choose another, or leave --port out to have the next free one."
        raise GenlabError("the port is in use", where=f"--port {port}", hint=hint)
    if port is None and _is_taken(_USUAL):
        console.print(f"Port {_USUAL} is in use, so TensorBoard takes the next free one.")
    folder = shown_folder(folder)
    if not has_curves(folder):
        console.print(f"{one_line(str(folder))} has no curves yet: recipes with [listeners.tensorboard] write them.")
    command = [sys.executable, "-P", "-m", "tensorboard.main", "--logdir", str(folder), "--load_fast", load_fast.value]
    # Without a port, TensorBoard tries several.
    command += [] if port is None else ["--port", str(port)]
    command += ["--bind_all"] if bind_all else []
    # By default TensorBoard keeps ten pictures of a tag, and drops the rest.
    command += ["--samples_per_plugin", "images=100"]
    # Replaces this process, so that a signal to it ends TensorBoard.
    os.execv(sys.executable, command)


def shown_folder(folder: Path) -> Path:
    """Pick what TensorBoard shows of a folder: of an ablation its arms, or its trials until these are compared."""
    trials, arms = folder / "trials", folder / "tensorboard"
    if not trials.is_dir() or (folder / "run.json").exists():
        return folder
    return arms if arms.is_dir() else trials


def has_curves(folder: Path) -> bool:
    """True if there is anything in a folder or below it that TensorBoard shows."""
    return any(folder.rglob("events.out.tfevents.*"))


def _is_taken(port: int) -> bool:
    """True if a server answers on a port of this machine, which TensorBoard asks in the same way."""
    with socket.socket() as client:
        return client.connect_ex(("localhost", port)) == 0
