"""`gen ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument


def ablate(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="The length of every training.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Trials to train at a time; one, or one a GPU, by default.")
    ] = None,
    plugin: PluginOption = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The ablation's folder; runs/ and the recipe's name by default.")
    ] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train again what was trained with other code.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be trained, and train nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Run the ablation that a recipe describes; called again, it goes on where it was."""
    import genlab
    from genlab.ablation.report import report_as_json
    from genlab.cli.ablation_display import Show, plan_as_json, print_answer, print_plan
    from genlab.cli.output import print_json

    given = [*overrides, *([] if steps is None else [f"train.steps={steps}"])]
    ablation = genlab.plan_ablation(recipe, overrides=given, plugins=plugin, out=out)
    slots, estimate = jobs or ablation.slots, ablation.time_estimate()
    if plan and json:
        print_json(plan_as_json(ablation, estimate, slots))
        return
    print_plan(ablation, estimate, slots)
    if plan:
        typer.echo(f"Without --plan they are trained, into {ablation.folder.path}.", err=True)
        return
    with Show(ablation, estimate, slots) as show:
        result = ablation.run(slots, retrain, show)
    if json:
        print_json(report_as_json(result, ablation.parameters))
    else:
        print_answer(result, ablation.folder.path)
    if not result.is_complete:
        typer.echo("Not all trials are finished: the same command goes on with those that are missing.", err=True)
    raise typer.Exit(show.exit_code or (0 if result.is_complete else 1))
