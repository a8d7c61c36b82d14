"""`gen check`."""

from __future__ import annotations

from genlab.cli.options import OverridesOption, PluginOption, RecipeArgument


def check(recipe: RecipeArgument, overrides: OverridesOption = [], plugin: PluginOption = []) -> None:  # noqa: B006
    """Validate a recipe and its components, without running it."""
    import genlab
    from genlab.cli.output import load_torch, print_data

    load_torch()
    genlab.check(recipe, overrides=overrides, plugins=plugin)
    print_data(f"{recipe}: OK (data not checked).")
