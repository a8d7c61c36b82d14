"""The metrics of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from genlab.assemble.experiment import construct
from genlab.assemble.read import CheckedRecipe
from genlab.config.diagnostics import recipe_error
from genlab.errors import Fault, RecipeError
from genlab.interfaces.metric import Metric
from genlab.tools.evaluate.data import EvaluatedData
from genlab.tools.evaluate.request import EvaluationRequest


class EvaluationMetrics(NamedTuple):
    """Metrics and their settings by label, and the labels of those that the data have no pairs for."""

    metrics: Mapping[str, Metric]
    settings: Mapping[str, Mapping[str, Any]]
    without_pairs: list[str]


def choose_metrics(changed: CheckedRecipe, data: EvaluatedData, asked: EvaluationRequest) -> EvaluationMetrics:
    """The metrics of an evaluation's recipe, of which those are measured that can be.

    Raises:
        RecipeError: there is none, one was asked for by its name and needs pairs, or none has the name that is to rank
            images.
    """
    parts = replace(changed.recipe, augmentations={}, losses={}, listeners={})
    metrics = construct(parts, changed.document).metrics
    if not metrics:
        hint = "Name one: --metric l1, or --set evaluate.metrics.l1.name=l1."
        raise recipe_error([Fault(("evaluate", "metrics"), "there is no metric to measure", hint)], changed.document)
    without = [] if data.pairs.pairs.is_paired else [name for name, metric in metrics.items() if metric.needs_pairs]
    named = {name.rpartition(":")[2] for name in asked.metrics}
    refused = [name for name in without if name in named or len(without) == len(metrics)]
    if refused:
        what = f"needs pairs, and the {data.split} data have none: {data.pairs.pairs.description}"
        hint = "Choose a metric that needs none, such as kid, or evaluate on pairs with --data or --set data.KEY=VALUE."
        faults = [Fault(("evaluate", "metrics", name), f"{name} {what}", hint, at_key=True) for name in refused]
        raise recipe_error(faults, changed.document)
    ranks = [name for name, metric in metrics.items() if name not in without and not metric.compares_sets]
    if asked.by is not None and asked.by not in ranks:
        what = f"no metric of each image is called `{asked.by}`; there are {', '.join(ranks) or 'none'}"
        raise RecipeError([Fault((), what, "It ranks the images of the sheet.", place="--by")])
    return EvaluationMetrics(
        metrics, {name: config.table() for name, config in changed.recipe.metrics.items()}, without
    )
