"""`gen show`."""

from __future__ import annotations

from genlab.cli.options import Json, Overrides, Plugin, Recipe


def show(recipe: Recipe, overrides: Overrides = [], plugin: Plugin = [], json: Json = False) -> None:  # noqa: B006
    """Show a recipe's networks, level by level."""
    from dataclasses import asdict

    from rich.console import Console

    from genlab import api
    from genlab.cli.output import print_json, print_table

    console = Console(highlight=False)
    outlines = api.outline(recipe, overrides=overrides, plugins=plugin)
    if json:
        print_json([asdict(outline) for outline in outlines])
        return
    for outline in outlines:
        console.print(f"\n[bold]{outline.role}[/]  {outline.headline}\n")
        rows = [(row.name, row.shape, row.skip, f"{row.parameters:,}") for row in outline.rows]
        print_table(("level", "output", "skip", "parameters"), rows, right=("parameters",))
    console.print()
