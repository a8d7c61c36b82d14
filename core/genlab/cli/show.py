"""`gen show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument

if TYPE_CHECKING:
    from genlab.tools.summary import LevelRow


def show(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    plugin: PluginOption = [],  # noqa: B006
    json: JsonOption = False,
) -> None:
    """Summarize a recipe's networks, level by level."""
    from dataclasses import asdict

    from rich.text import Text

    import genlab
    from genlab.cli.output import load_torch, make_console, print_json, print_table
    from genlab.util.escapes import one_line

    load_torch()
    console = make_console()
    summaries = genlab.describe_networks(recipe, overrides=overrides, plugins=plugin)
    if json:
        print_json([asdict(summary) for summary in summaries])
        return
    for summary in summaries:
        console.print(Text(f"\n{summary.role}", "bold").append(f"  {one_line(summary.headline)}\n", "default"))
        heads, rows = _levels(summary.rows)
        print_table(heads, rows, right=("parameters", "frozen"))
        if start := summary.start:
            console.print(Text(f"\nfrom {one_line(start.source)}\n"))
            rows = [(what, f"{len(names):,}", start.named(names)) for what, names in start.rows()]
            print_table(("weights and buffers", "count", "names"), rows, right=("count",))
    console.print()


def _levels(levels: Sequence[LevelRow]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The table of a network's levels, with a column of frozen parameters if there are any."""
    heads = ["level", "output", "skip", "parameters"]
    rows = [[level.name, level.shape, level.skip, f"{level.parameters:,}"] for level in levels]
    if any(level.frozen for level in levels):
        heads.append("frozen")
        rows = [[*row, _frozen(level)] for row, level in zip(rows, levels, strict=True)]
    return heads, [*rows]


def _frozen(level: LevelRow) -> str:
    """`all` where all of a level's parameters are, a number where some are, or nothing."""
    if not level.frozen:
        return ""
    return "all" if level.frozen == level.parameters else f"{level.frozen:,}"
