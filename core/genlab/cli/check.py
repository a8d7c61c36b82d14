"""`gen check`."""

from __future__ import annotations

import typer

from genlab.cli.options import Overrides, Plugin, Recipe


def check(recipe: Recipe, overrides: Overrides = [], plugin: Plugin = []) -> None:  # noqa: B006
    """Say all that is wrong with a recipe, without running it."""
    from genlab import api

    api.check(recipe, overrides=overrides, plugins=plugin)
    typer.echo(f"{recipe}: no faults. Its data were not looked at.")
