"""`gen show`."""

from __future__ import annotations

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument


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
        rows = [(row.name, row.shape, row.skip, f"{row.parameters:,}") for row in summary.rows]
        print_table(("level", "output", "skip", "parameters"), rows, right=("parameters",))
        if start := summary.start:
            console.print(Text(f"\nfrom {one_line(start.source)}\n"))
            rows = [(what, f"{len(names):,}", start.named(names)) for what, names in start.rows()]
            print_table(("weights and buffers", "count", "names"), rows, right=("count",))
    console.print()
