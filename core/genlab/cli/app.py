"""The `gen` command: its verbs, and how it ends."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import traceback
from contextlib import suppress
from io import TextIOWrapper
from types import TracebackType
from typing import Annotated, NoReturn, TextIO

import typer
from typing_extensions import override

from genlab.cli import (
    ablate,
    bench,
    board,
    check,
    compare,
    convert,
    data,
    evaluate,
    export,
    plugins,
    predict,
    probe,
    recipes,
    resume,
    run as run_verb,
    runs,
    show,
    verify,
    work,
)
from genlab.cli.help import Verb, VerbGroup, help_page
from genlab.errors import GenlabError, StorageError
from genlab.util.environment import is_first_process
from genlab.util.escapes import escape_controls

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
app.command("work", cls=Verb)(work.work)
app.command("evaluate", cls=Verb)(evaluate.evaluate)
app.command("predict", cls=Verb)(predict.predict)
app.command("export", cls=Verb)(export.export)
app.command("probe", cls=Verb)(probe.probe)
app.command("convert", cls=Verb)(convert.convert)
app.command("verify", cls=Verb)(verify.verify)
app.command("compare", cls=Verb)(compare.compare)
app.command("check", cls=Verb)(check.check)
app.command("show", cls=Verb)(show.show)
app.command("data", cls=Verb)(data.data)
app.command("bench", cls=Verb)(bench.bench)
app.command("board", cls=Verb)(board.board)
app.add_typer(runs.app, name="runs")
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
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every verb."""
    from genlab.cli.trust import ask_on_terminal
    from genlab.registry.discovery.trust import asking

    context.with_resource(asking(ask_on_terminal))
    if debug:
        os.environ["GENLAB_DEBUG"] = "1"


class _StandardError(logging.Handler):
    """Logging handler for the current standard error, so that messages do not break a progress bar."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        # A closed pipe must not end a training.
        with suppress(OSError, ValueError, AttributeError):
            message = escape_controls(record.getMessage()).replace("\n", "\n  ")
            sys.stderr.write(f"{record.levelname.lower()}: {message}\n")
            sys.stderr.flush()


_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


def run() -> None:
    """Run a verb; a `GenlabError` is printed as one paragraph and sets the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the terminal's encoding may lack characters
    logger = logging.getLogger("genlab")
    logger.addHandler(_StandardError())
    logger.setLevel(logging.INFO if is_first_process() else logging.ERROR)
    logger.propagate = False
    sys.excepthook = _print_traceback
    try:
        try:
            app(prog_name="gen")
        finally:
            if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  (it is, if it is closed)
                sys.stdout.flush()  # Python itself would end with a traceback if this fails
    except GenlabError as error:
        _fail(error, error.exit_code)
    except KeyboardInterrupt:
        raise
    except OSError as error:
        _fail_at_file(error)
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code == 128 + signal.SIGINT:
            raise  # typer's form of a KeyboardInterrupt, which is nobody's fault
        from genlab.registry.discovery.blame import blamed

        if fault := blamed(error):
            _fail(fault, exit_code=1)
        if isinstance(error, Exception):
            _report(error, exit_code=1)
        raise


def _fail_at_file(error: OSError) -> NoReturn:
    """End for a file that cannot be used, or for standard output, whose errors name no file."""
    if error.filename is not None:
        what = f"cannot be read or written: {error.strerror}"
        _fail(StorageError(what, where=os.fsdecode(error.filename)), exit_code=1)
    if error.errno not in _UNWRITABLE:
        raise error
    _discard(sys.stdout)
    if error.errno == errno.EPIPE:  # the reader of a pipe may go when it has enough
        sys.exit(1)
    _fail(StorageError(f"the output cannot be written: {error.strerror}"), exit_code=1)


def _print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(escape_controls("".join(traceback.format_exception(kind, error, trace))))


def _fail(error: GenlabError, exit_code: int) -> NoReturn:
    if os.environ.get("GENLAB_DEBUG"):
        raise error
    from genlab.cli.output import print_error

    try:
        _report(error, exit_code)
        print_error(error)
    except OSError:
        _discard(sys.stderr)
    sys.exit(exit_code)


def _report(error: BaseException, exit_code: int) -> None:
    from genlab.cli.launch import report

    report(error, exit_code)


def _discard(stream: TextIO) -> None:
    """Discard what a stream still holds: Python would fail again when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
