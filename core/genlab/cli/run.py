"""`gen run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import (
    DeviceName,
    DevicesOption,
    OverridesOption,
    PluginOption,
    RecipeArgument,
    StopAtOption,
    TrustOption,
)


def run(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of training steps.")] = None,
    stop_at: StopAtOption = None,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="Random seed.")] = None,
    device: Annotated[DeviceName | None, typer.Option(help="Device to train on.")] = None,
    plugin: PluginOption = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the run; must be new or empty.")] = None,
    devices: DevicesOption = 1,
    trust: TrustOption = False,
) -> None:
    """Train a recipe in a new run folder below runs/."""
    import genlab
    from genlab.cli.ending import end
    from genlab.cli.launch import launch
    from genlab.cli.output import progress_bar

    values = {"train.steps": steps, "seed": seed, "train.device": device and f'"{device.value}"'}
    given = [*overrides, *(f"{key}={value}" for key, value in values.items() if value is not None)]
    launch(devices)
    with progress_bar("reading the data") as on_progress:
        trained = genlab.train(
            recipe, overrides=given, stop_at=stop_at, plugins=plugin, out=out, trust=trust, on_progress=on_progress
        )
    end(trained)
