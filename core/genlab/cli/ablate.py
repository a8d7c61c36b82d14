"""`gen ablate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlab.cli.options import JsonOption, OverridesOption, PluginOption, RecipeArgument, TrustOption

if TYPE_CHECKING:
    from genlab.ablation.ablate import Ablation
    from genlab.ablation.engine import Engine


class EngineName(StrEnum):
    """Engine that has trials trained elsewhere."""

    SLURM = "slurm"
    RAY = "ray"


_OPTIONS = {None: (), EngineName.SLURM: ("partition", "time", "gpus"), EngineName.RAY: ("gpus", "address")}


def _engine(name: EngineName | None, ablation: Ablation, **options: Any) -> Engine | None:
    """The engine with its options; `GenlabError` if one has no meaning for it."""
    given = {key: value for key, value in options.items() if value is not None}
    if wrong := [key for key in given if key not in _OPTIONS[name]]:
        engines = " or ".join(other for other, known in _OPTIONS.items() if other and wrong[0] in known)
        raise typer.BadParameter(f"it needs --submit {engines}", param_hint=f"--{wrong[0]}")
    if given.get("gpus"):
        ablation.require_gpus()
    match name:
        case EngineName.SLURM:
            from genlab.ablation.slurm import Slurm

            return Slurm(
                ablation.threads, gpus=given.get("gpus", 0), partition=given.get("partition"), limit=given.get("time")
            )
        case EngineName.RAY:
            from genlab.ablation.ray_cluster import RayCluster

            return RayCluster(ablation.threads, **given)
        case None:
            return None


def ablate(
    recipe: RecipeArgument,
    overrides: OverridesOption = [],  # noqa: B006  (typer copies it)
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Training steps of every trial.")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Trials to train in parallel. By default 1, or 1 per GPU. With 0, `gen work` elsewhere trains.",
        ),
    ] = None,
    plugin: PluginOption = [],  # noqa: B006
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the ablation. By default runs/ and the recipe's name.")
    ] = None,
    submit: Annotated[
        EngineName | None, typer.Option(help="Have trials trained by a cluster: one array, or a task per trial.")
    ] = None,
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Slurm's partition.")] = None,
    time: Annotated[str | None, typer.Option(metavar="TIME", help="Slurm's time limit, such as 4:00:00.")] = None,
    gpus: Annotated[int | None, typer.Option(min=0, metavar="N", help="GPUs of each trial on a cluster.")] = None,
    address: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Address of the Ray cluster.")] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="Retrain trials whose code has changed.")] = False,
    trust: TrustOption = False,
    plan: Annotated[bool, typer.Option("--plan", help="Dry run: show what would be trained, and exit.")] = False,
    json: JsonOption = False,
) -> None:
    """Run the ablation study of a recipe, or resume it."""
    from genlab.cli.output import load_torch, make_console, print_json

    load_torch()
    import genlab
    from genlab.ablation.report import report_as_json
    from genlab.cli.ablation_display import plan_as_json, print_answer, print_plan
    from genlab.cli.power_display import print_power
    from genlab.cli.trial_display import Show
    from genlab.util.escapes import one_line

    console = make_console(stderr=True, soft_wrap=True)
    given = [*overrides, *([] if steps is None else [f"train.steps={steps}"])]
    ablation = genlab.plan_ablation(recipe, overrides=given, plugins=plugin, out=out, trust=trust)
    slots, estimate = ablation.slots if jobs is None else jobs, ablation.time_estimate()
    if plan and json:
        print_json(plan_as_json(ablation, estimate, slots))
        return
    print_plan(ablation, estimate, slots)
    if plan:
        print_power(ablation.power_estimate(), ablation.plan.settings.metric)
        where = one_line(str(ablation.folder.path))
        console.print(f"Dry run: nothing was trained. Without --plan, trials go to {where}.")
        return
    lengths = {str(trial): trial.recipe.settings.train.steps for trial in ablation.plan.trials}
    engine = _engine(submit, ablation, partition=partition, time=time, gpus=gpus, address=address)
    with Show(lengths, estimate, slots, ablation.plan.schedule.is_sequential) as show:
        result = ablation.run(jobs if engine else slots, retrain, show, engine=engine)
    if json:
        print_json(report_as_json(result, ablation.parameters))
    else:
        print_answer(result, ablation.folder.path)
    if not result.is_complete:
        said = (
            f" What the tasks said is in {one_line(str(ablation.folder.path / 'slurm'))}." if submit == "slurm" else ""
        )
        console.print(f"Not all trials are finished: run the same command again to resume.{said}")
    raise typer.Exit(show.exit_code or (0 if result.is_complete else 1))
