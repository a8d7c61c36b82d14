"""`gen check`."""

from __future__ import annotations

import typer

from genlab.cli.options import OverridesOption, PluginOption, RecipeArgument


def check(recipe: RecipeArgument, overrides: OverridesOption = [], plugin: PluginOption = []) -> None:  # noqa: B006
    """Say all that is wrong with a recipe, without running it."""
    import genlab

    genlab.check(recipe, overrides=overrides, plugins=plugin)
    typer.echo(f"{recipe}: OK (data not checked).")
