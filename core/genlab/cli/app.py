"""The `gen` command: its verbs, and how it ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer
from typing_extensions import override

from genlab.cli import (
    ablate,
    bench,
    board,
    check,
    data,
    plugins,
    predict,
    probe,
    recipes,
    resume,
    run as run_verb,
    show,
)
from genlab.cli.help import Verb, VerbGroup, help_page
from genlab.errors import GenlabError

app = typer.Typer(
    name="gen",
    cls=VerbGroup,
    help="Experiments with image-to-image generative models, put together from plugins.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", cls=Verb)(run_verb.run)
app.command("resume", cls=Verb)(resume.resume)
app.command("ablate", cls=Verb)(ablate.ablate)
app.command("predict", cls=Verb)(predict.predict)
app.command("probe", cls=Verb)(probe.probe)
app.command("check", cls=Verb)(check.check)
app.command("show", cls=Verb)(show.show)
app.command("data", cls=Verb)(data.data)
app.command("bench", cls=Verb)(bench.bench)
app.command("board", cls=Verb)(board.board)
app.add_typer(recipes.app, name="recipes")
app.add_typer(plugins.app, name="plugins")
app.command("help", cls=Verb)(help_page)


def _print_version(wanted: bool) -> None:
    if wanted:
        import genlab

        typer.echo(f"genlab {genlab.__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every verb."""
    if debug:
        os.environ["GENLAB_DEBUG"] = "1"


class _StandardError(logging.Handler):
    """Logging handler for the current standard error, so that messages do not break a progress bar."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        # A closed pipe must not end a training.
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{record.levelname.lower()}: {record.getMessage()}\n")
            sys.stderr.flush()


def run() -> None:
    """Run a verb; a `GenlabError` is printed as one paragraph and sets the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack characters
    logger = logging.getLogger("genlab")
    logger.addHandler(_StandardError())
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        app(prog_name="gen")
    except GenlabError as error:
        _fail(error, error.exit_code)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code == 128 + signal.SIGINT:
            raise  # typer's form of a KeyboardInterrupt, which is nobody's fault
        from genlab.registry.discovery.blame import blamed

        if fault := blamed(error):
            _fail(fault, exit_code=1)
        if not isinstance(error, BrokenPipeError):
            raise
        # The reader of a pipe is gone; Python would raise again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _fail(error: GenlabError, exit_code: int) -> NoReturn:
    if os.environ.get("GENLAB_DEBUG"):
        raise error
    from genlab.cli.output import print_error

    print_error(error)
    sys.exit(exit_code)
