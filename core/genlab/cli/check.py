"""`gen check`."""

from __future__ import annotations

from typing import Annotated

import typer

from genlab.cli.options import OverridesOption, PluginOption, RecipeArgument, TrustOption


def check(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    plugin: PluginOption = [],  # noqa: B006
    overfit: Annotated[
        bool, typer.Option("--overfit", help="Also train on one batch of the data, which must drive the losses down.")
    ] = False,
    trust: TrustOption = False,
) -> None:
    """Validate a recipe and its components, without running it."""
    import genlab
    from genlab.cli.output import load_torch, print_data, progress_bar

    load_torch()
    genlab.check(recipe, overrides=overrides, plugins=plugin)
    print_data(f"{recipe}: OK (data not checked).")
    if overfit:
        with progress_bar("steps on one batch") as on_progress:
            found = genlab.overfit(recipe, overrides=overrides, plugins=plugin, trust=trust, on_progress=on_progress)
        losses = ", ".join(f"{term} from {loss.first:.4g} to {loss.last:.4g}" for term, loss in found.losses.items())
        print_data(f"overfit: OK ({found.steps} steps on one batch drove {losses}).")
