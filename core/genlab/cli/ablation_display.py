"""Display of an ablation in a terminal: plan, progress and ETA of its trials, verdicts."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

from rich.table import Table
from rich.text import Text

from genlab.ablation.ablate import Ablation
from genlab.ablation.cost_report import cost_as_json, cost_in_words
from genlab.ablation.eta import TimeEstimate
from genlab.ablation.plan import Plan
from genlab.ablation.results import AblationResult
from genlab.cli.board import has_curves
from genlab.cli.output import clock, make_console, print_next
from genlab.cli.power_display import power_as_json
from genlab.util.escapes import one_line


def print_plan(ablation: Ablation, estimate: TimeEstimate, jobs: int) -> None:
    """Print the arms to standard error: changes, number of parameters, and ETA of missing trials."""
    console = make_console(stderr=True)
    plan = ablation.plan
    console.print(Text(one_line(plan.title), "bold"))
    console.print(_trainings(plan))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    priced = ("cost of a step", "steps") if plan.step_costs else ()
    for column in ("arm", "changes", "parameters of all networks", *priced):
        table.add_column(column, justify="left" if column in ("arm", "changes") else "right", overflow="fold")
    for arm in plan.arms:
        parameters = f"{sum(ablation.parameters[arm].values()):,}"
        name = Text(one_line(arm)).append(" (baseline)" if arm == plan.settings.baseline else "", "dim")
        prices = (cost_in_words(plan, plan.step_costs[arm]), f"{plan.steps(arm):,}") if plan.step_costs else ()
        table.add_row(name, Text("\n".join(plan.assignments(arm)) or "nothing"), parameters, *prices)
    console.print(table)
    for warning in ablation.warnings:
        console.print(Text("warning: ", "bold yellow").append(warning, "default"), soft_wrap=True)
    if there := sum(map(len, estimate.measured.values())):
        left, about = estimate.left(jobs), "at most about" if plan.schedule.is_sequential else "about"
        rest = f"; the others take {about} {clock(left)}, {jobs} at a time" if left else ""
        console.print(f"{there} of {len(plan.trials)} trials are finished{rest}")


def _trainings(plan: Plan) -> str:
    """Numbers of arms, seeds and trainings, in words."""
    schedule, arms = plan.schedule, len(plan.arms)
    seeds = ", ".join(map(str, schedule.seeds))
    count, several = len(schedule.seeds), "seed" if len(schedule.seeds) == 1 else "seeds"
    if not schedule.is_sequential:
        return f"{arms} arms x {count} {several} ({seeds}) = {len(plan.trials)} trainings"
    first = schedule.looks[0]
    return f"{arms} arms x {first} to {count} seeds ({seeds}) = {arms * first} to {len(plan.trials)} trainings"


def plan_as_json(ablation: Ablation, estimate: TimeEstimate, jobs: int) -> dict[str, Any]:
    """The plan in plain JSON values."""
    plan = ablation.plan
    arms = {
        arm: {"changes": plan.assignments(arm), "parameters": ablation.parameters[arm], **cost_as_json(plan, arm)}
        for arm in plan.arms
    }
    return {
        "title": plan.title,
        "baseline": plan.settings.baseline,
        "seeds": list(plan.schedule.seeds),
        "arms": arms,
    } | {
        "stop": plan.settings.stop,
        "looks": list(plan.schedule.looks),
        "power": power_as_json(ablation.power_estimate(), plan.settings.metric),
        "missing": len(estimate.missing),
        "seconds": estimate.left(jobs),
        "warnings": ablation.warnings,
    }


def print_answer(result: AblationResult, folder: Path) -> None:
    """Print the answer to standard output, and where the report is."""
    console = make_console()
    for sentence in result.sentences(result.plan.settings.metric):
        console.print(Text(sentence), soft_wrap=True)
    for caution in result.cautions():
        console.print(Text("caution: ", "bold yellow").append(caution, "default"), soft_wrap=True)
    path = quote(str(folder))
    see = {"see curves and pictures": f"gen board {path}"} if has_curves(folder) else {}
    print_next({"read the report": f"{path}/report.html", **see})
