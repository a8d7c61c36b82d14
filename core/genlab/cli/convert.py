"""`gen convert`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from genlab.cli.options import JsonOption, OverridesOption


def convert(
    weights: Annotated[Path, typer.Argument(metavar="FILE", help="Generator's weights, such as latest_net_G.pth.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The run's folder; by default below runs/.")] = None,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    json: JsonOption = False,
) -> None:
    """Convert weights of pytorch-CycleGAN-and-pix2pix to a run, to predict, evaluate, export or start with."""
    import genlab
    from genlab.cli.output import load_torch, print_data, print_json, print_next

    load_torch()
    run = genlab.convert(weights, out=out, overrides=overrides)
    conversion = run.manifest.conversion
    assert conversion is not None
    generator = run.recipe.networks["generator"].table()
    if json:
        print_json({"run": str(run.path), **conversion.model_dump(mode="json"), "generator": generator})
        return
    print_data(f"{run.path}: {conversion.layout}, {generator['channels']} channels, as {generator['name']}")
    if conversion.left_out:
        left_out = f"{conversion.left_out[0]}, ..." if len(conversion.left_out) > 1 else conversion.left_out[0]
        print_data(f"left out, as instance norms do not use them: {len(conversion.left_out)} statistics ({left_out})")
    path = quote(str(run.path))
    print_next(
        {
            "predict from images": f"gen predict {path} IMAGE --out DIR",
            "start a training with its weights": f"gen run RECIPE --set init.generator.from={path}",
        }
    )
