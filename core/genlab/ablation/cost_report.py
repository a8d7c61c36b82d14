"""Quality against cost: scores of an ablation with a budget by what had been spent when they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlab.ablation.budget import format_cost, prefixed_unit
from genlab.ablation.plan import Plan
from genlab.ablation.results import AblationResult
from genlab.drawing.curves import draw_curves
from genlab.interfaces.listener import Interval


def cost_as_json(plan: Plan, arm: str) -> dict[str, Any]:
    """Costs of a step of an arm and of its training, in the unit of the budget; empty without one."""
    if not plan.step_costs:
        return {}
    cost, steps = plan.step_costs[arm], plan.steps(arm)
    return {"steps": steps, "step_cost": cost, "cost": steps * cost}


def cost_in_words(plan: Plan, cost: float) -> str:
    """A cost with the unit of the budget."""
    return format_cost(cost, plan.settings.budget_unit)


def draw_costs(result: AblationResult) -> str:
    """Draw the primary metric of each arm by the cost of its training so far; empty without a budget or figures."""
    settings = result.plan.settings
    if settings.budget is None:
        return ""
    scale, unit = prefixed_unit(settings.budget, settings.budget_unit)
    bands: Mapping[str, Mapping[float, Interval]] = {
        arm: {step * result.plan.step_costs[arm] / scale: interval for step, interval in band.items()}
        for arm, band in result.bands(settings.metric).items()
    }
    return draw_curves(bands, settings.metric, f"cost of the training, {unit}")


def explain_budget(plan: Plan) -> str:
    """Explanation of what every arm may spend."""
    budget = plan.settings.budget
    if budget is None:
        return ""
    counted = {
        "flops": "floating-point operations of matrix products and convolutions, counted in their plain form",
        "seconds": "seconds of the steps on the machine that planned them, without validation and reading",
    }
    return (
        f"The training of every arm may cost {cost_in_words(plan, budget)}, and is as long as that pays for: "
        f"{counted[plan.settings.budget_unit]}. What a prediction costs is not in it."
    )
