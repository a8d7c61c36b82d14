"""`gen check`."""

from __future__ import annotations

import typer

from genlab.cli.options import Plugin, Recipe, Set


def check(recipe: Recipe, set: Set = [], plugin: Plugin = []) -> None:  # noqa: B006
    """Say all that is wrong with a recipe, without running it."""
    from genlab import api

    api.check(recipe, set=set, plugins=plugin)
    typer.echo(f"{recipe}: no faults. Its data were not looked at.")
