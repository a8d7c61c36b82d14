"""Output of the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pydantic_core import to_json
from rich.console import Console, ConsoleOptions, RenderableType
from rich.control import Control
from rich.progress import Progress
from rich.segment import ControlType, Segment
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from genlab.errors import Fault, GenlabError, RecipeError
from genlab.util.environment import is_first_process
from genlab.util.escapes import escape_controls, one_line


class _EscapingConsole(Console):
    """A console that shows control characters in what it is given as escapes, and commands the terminal by its own."""

    @override
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text))


def make_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """Console for all output of the command line: text is shown as it is, without markup and without commands in it."""
    return _EscapingConsole(stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)


def print_data(text: str) -> None:
    """Print text that a program may read to standard output: exactly, unless that is a terminal."""
    print(escape_controls(text) if sys.stdout.isatty() else text)  # noqa: T201


def print_error(error: GenlabError) -> None:
    """Print an error to standard error as one paragraph; a recipe's faults as one each."""
    console = make_console(stderr=True, soft_wrap=True)
    if isinstance(error, RecipeError):
        for number, fault in enumerate(error.listed):
            console.print(*([""] if number else []), _fault(fault), sep="\n")
        if error.more:
            console.print(f"\n{error.more}")
        return
    head = Text("error: ", "bold red")
    if error.where:
        head.append(f"{one_line(error.where)}: ", "bold")
    console.print(head.append(error.what, "default"))
    if error.hint:
        console.print(Text(error.hint))


def _fault(fault: Fault) -> Text:
    text = Text()
    if fault.place:
        text.append(f"{one_line(fault.place)}: ", "bold")
    text.append("error: ", "bold red").append(fault.what)
    if fault.quote:
        quoted, carets = fault.quote.split("\n")
        text.append(f"\n{quoted}\n").append(carets, "red")
    return text.append(f"\n{fault.hint}") if fault.hint else text


def load_torch() -> None:
    """Import PyTorch, which takes seconds on some machines, and say so on standard error if it is a terminal."""
    console = make_console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal or not is_first_process():
        return
    console.print("loading PyTorch ...", end="", style="dim")
    import torch  # noqa: F401  # pyright: ignore[reportUnusedImport]

    console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))


@contextmanager
def progress_bar(name: str) -> Generator[Callable[[int, int], None]]:
    """Context that gives a callback (done, total), shown as a bar on standard error until all are done.

    Before it, PyTorch is loaded. Nothing is shown where standard error is not an interactive terminal.

    Args:
        name: what is counted, shown in front of the bar.
    """
    load_torch()
    console = make_console(stderr=True)
    with Progress(
        console=console, transient=True, disable=not (console.is_interactive and is_first_process())
    ) as progress:
        task = progress.add_task(name, total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total if done else None)
            if done == total:
                progress.stop()

        yield show


def clock(seconds: float) -> str:
    """A duration as `0:01:30`."""
    return str(timedelta(seconds=round(seconds)))


def print_json(value: Any) -> None:
    """Print a value to standard output as JSON."""
    print(escape_controls(to_json(value, indent=2, inf_nan_mode="null").decode()))  # noqa: T201


def print_next(commands: Mapping[str, str]) -> None:
    """Print the next commands, and what each does."""
    console = make_console(soft_wrap=True)
    width = max(len(command) for command in commands.values())
    for what, command in commands.items():
        console.print(Text(f"  {command:<{width}}   ").append(what, "dim"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Container[str] = ()) -> None:
    """Print a table to standard output; the columns named in `right` are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    make_console().print(table)
