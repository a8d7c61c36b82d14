"""A budget of an ablation, turned into the steps of each arm."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from genlab.ablation.plan import TABLE, Plan, PlannedTrial
from genlab.ablation.step_cost import with_length
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.schema import CostUnit
from genlab.errors import Fault, TrainingError

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def within_budget(plan: Plan, budget: float, cost_of: Callable[[PlannedTrial], float], document: Document) -> Plan:
    """The plan with as many steps of each arm as the budget pays for.

    Args:
        plan: for the recipe's steps.
        budget: what the training of each arm may cost, in the plan's unit.
        cost_of: cost of a step of a trial, in the same unit.
        document: locates faults in the recipe.

    Raises:
        RecipeError: a step of an arm cannot be taken, or the budget does not pay for one.
    """
    costs: dict[str, float] = {}
    faults: list[Fault] = []
    for arm in plan.arms:
        try:
            costs[arm] = cost_of(plan.of(arm)[0])
        except TrainingError as error:
            what = f"the cost of a step of the arm `{arm}` could not be measured: {error.what}"
            faults.append(Fault((TABLE, "budget"), what, error.hint))
    if faults := [*faults, *_cost_faults(budget, plan.settings.budget_unit, costs)]:
        raise recipe_error(faults, document)
    steps = {arm: math.floor(budget / cost) for arm, cost in costs.items()}
    trials = [replace(trial, recipe=with_length(trial.recipe, steps[trial.arm])) for trial in plan.trials]
    return replace(plan, trials=trials, step_costs=costs)


def _cost_faults(budget: float, unit: CostUnit, costs: Mapping[str, float]) -> Iterator[Fault]:
    """Faults of arms whose step costs nothing that the budget counts, or more than all of it."""
    keys, limit = (TABLE, "budget"), format_cost(budget, unit)
    for arm, cost in costs.items():
        if not cost > 0:
            what = f"a step of the arm `{arm}` has no matrix products or convolutions, by which operations are counted"
            yield Fault(keys, what, 'Measure seconds: budget_unit = "seconds".', at_key=True)
        elif cost > budget:
            price, most = format_cost(cost, unit), format_cost(max(costs.values()), unit)
            what = f"a step of the arm `{arm}` costs {price}, more than the budget of {limit}"
            yield Fault(keys, what, f"{most} pay for one step of every arm.")


def format_cost(cost: float, unit: CostUnit) -> str:
    """A cost with its unit: `86.9 GFLOP`, or `0.523 s`."""
    scale, name = prefixed_unit(cost, unit)
    return f"{cost / scale:.3g} {name}"


def prefixed_unit(cost: float, unit: CostUnit) -> tuple[float, str]:
    """The unit in which a cost has up to three digits before its point, and how much that is: `(1e9, "GFLOP")`."""
    if unit == "seconds":
        return 1.0, "s"
    power = min(max(math.floor(math.log10(cost) / 3), 0), len(_PREFIXES) - 1)
    return 1000.0**power, f"{_PREFIXES[power]}FLOP"
