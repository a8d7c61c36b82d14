"""End of a training on the command line: what to do next, and the exit code."""

from __future__ import annotations

import signal
from shlex import quote
from typing import TYPE_CHECKING

import typer

from genlab.cli.board import has_curves
from genlab.cli.output import print_next
from genlab.util.environment import is_first_process

if TYPE_CHECKING:
    from genlab import Run


def end(run: Run) -> None:
    """Print the next commands; an interrupted run exits with 128 plus the signal's number.

    Of several processes, the first one speaks.
    """
    if not is_first_process():
        return
    path = quote(str(run.path))
    see = {"see curves and pictures": f"gen board {path}"} if has_curves(run.path) else {}
    if run.manifest.status == "finished":
        best = run.manifest.best
        option = " --checkpoint best" if best and best.is_found and best.step != run.manifest.step else ""
        print_next({**see, "predict from new images": f"gen predict {path} IMAGE --out DIR{option}"})
        return
    print_next({"resume it": f"gen resume {path}", **see})
    if run.manifest.status == "interrupted":
        raise typer.Exit(128 + (run.manifest.signal or signal.SIGINT))
