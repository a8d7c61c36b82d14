"""`gen runs`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typing_extensions import override

from genlab.cli.help import Verb, VerbGroup
from genlab.cli.options import JsonOption, RunArgument, RunsArgument


class _ListingGroup(VerbGroup):
    """A command of commands, the first of which is meant where none is named."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = args and args[0] in {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if is_named or ctx.resilient_parsing else ["list", *args])


app = typer.Typer(cls=_ListingGroup, help="List runs, also without a verb: `gen runs`; mark, prune and remove them.")


class StatusName(StrEnum):
    """Status of a run."""

    RUNNING = "running"
    FINISHED = "finished"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list", cls=Verb)
def list_runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of runs; those below it count, too.")] = Path(
        "runs"
    ),
    recipe: Annotated[str, typer.Option(metavar="TEXT", help="Only with this in the recipe's title or the name.")] = "",
    status: Annotated[list[StatusName], typer.Option(help="Only of this status. Repeatable.")] = [],  # noqa: B006
    where: Annotated[
        list[str],
        typer.Option(
            metavar="CONDITION",
            help='Only with such a metric or value of the recipe: "validation/l1 < 0.2", "generator.levels = 8".'
            " Repeatable.",
        ),
    ] = [],  # noqa: B006
    tag: Annotated[list[str], typer.Option(metavar="TAG", help="Only with this tag. Repeatable.")] = [],  # noqa: B006
    metric: Annotated[
        list[str], typer.Option(metavar="NAME", help="Metric, or key of the recipe, to show. Repeatable.")
    ] = [],  # noqa: B006
    sort: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="age (the newest first), name, recipe, size, status, step, a metric (the best first), or a recipe's"
            " key.",
        ),
    ] = "age",
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse the order.")] = False,
    json: JsonOption = False,
) -> None:
    """List runs, with trials of ablations."""
    import genlab
    from genlab.cli.output import print_json
    from genlab.cli.run_display import print_runs
    from genlab.runs.run_condition import require_known

    found = genlab.list_runs(
        folder, recipe=recipe, status=[it.value for it in status], where=where, tags=tag, sort=sort, reverse=reverse
    )
    for name in metric:
        require_known(name, f"--metric {name}", found.values)
    if json:
        problems = {str(path): reason for path, reason in found.problems.items()}
        print_json({"runs": [run.as_dict() for run in found.runs], "problems": problems})
    else:
        print_runs(found, metric)


@app.command(cls=Verb)
def mark(
    run: RunArgument,
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help='Note, in place of the one that it has; "" removes it.')
    ] = None,
    tag: Annotated[list[str], typer.Option(metavar="TAG", help="Add a tag. Repeatable.")] = [],  # noqa: B006
    untag: Annotated[list[str], typer.Option(metavar="TAG", help="Remove a tag. Repeatable.")] = [],  # noqa: B006
    json: JsonOption = False,
) -> None:
    """Give a run a note and tags, and print those that it has."""
    import genlab
    from genlab.cli.output import make_console, print_json
    from genlab.util.escapes import one_line

    try:
        found = genlab.annotate_run(run, note=note, tags=tag, untag=untag)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tag") from error
    if json:
        print_json(found.model_dump())
        return
    console = make_console(soft_wrap=True)
    console.print(f"note: {one_line(found.note) or '-'}\ntags: {', '.join(found.tags) or '-'}")


@app.command(cls=Verb)
def prune(run: RunsArgument, yes: YesOption = False, json: JsonOption = False) -> None:
    """Remove what only a resume needs: optimizers' states, and all checkpoints but the last and the best."""
    import genlab
    from genlab.cli.output import load_torch

    load_torch()
    from genlab.runs.pruning import prunable_runs  # imports PyTorch

    found = prunable_runs(run)
    _ask("They will predict the same, and can never be resumed", [str(it.path) for it in found], yes=yes)
    _print_freed(genlab.prune_runs(run), json=json)


@app.command(cls=Verb)
def remove(run: RunsArgument, yes: YesOption = False, json: JsonOption = False) -> None:
    """Remove runs with all that is in their folders."""
    from rich.filesize import decimal

    import genlab
    from genlab.runs.removal import removable_runs

    found = removable_runs(run)
    for path, _, consequence in found:
        if consequence:
            _say(f"{path}: {consequence}.")
    _ask("All that is in them will be gone", [f"{it.path}  {decimal(it.bytes)}" for it in found], yes=yes)
    _print_freed(genlab.remove_runs(run), json=json)


def _ask(consequence: str, runs: Sequence[str], *, yes: bool) -> None:
    """Ask on a terminal whether to go on, and end without a yes."""
    if yes:
        return
    from genlab.errors import RunError

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RunError(f"nothing is done without an answer: {consequence.lower()}", hint="Add --yes to go on.")
    lines = "".join(f"  {run}\n" for run in runs)
    _say(f"{lines}{consequence}. Go on? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        _say("Nothing was done.")
        raise typer.Exit(1)


def _say(text: str) -> None:
    from genlab.cli.output import make_console

    make_console(stderr=True, soft_wrap=True).print(text)


def _print_freed(freed: Mapping[Path, int], *, json: bool) -> None:
    from rich.filesize import decimal

    from genlab.cli.output import make_console, print_json
    from genlab.util.escapes import one_line

    if json:
        print_json({str(path): size for path, size in freed.items()})
        return
    console = make_console(soft_wrap=True)
    for path, size in freed.items():
        console.print(f"{one_line(str(path))}: {decimal(size)} ({size:,} bytes) freed")
