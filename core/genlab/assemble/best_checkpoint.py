"""Check of what a recipe says of its best checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genlab.assemble.recipe import metric_scores, score_names
from genlab.config.schema import Checkpoint, Train
from genlab.config.validate import nearest
from genlab.errors import Fault
from genlab.registry.components import ComponentConfig


def best_checkpoint_faults(
    checkpoint: Checkpoint | None, train: Train | None, metrics: Mapping[str, ComponentConfig]
) -> Iterator[Fault]:
    """Faults of `checkpoint.best` and `train.patience`.

    Args:
        checkpoint: the recipe's table; None if it is invalid.
        train: likewise.
        metrics: the recipe's, by label.
    """
    if checkpoint is None or train is None:
        return
    names, best = score_names(metric_scores(metrics)), checkpoint.best
    if best is not None and best not in names:
        there = ", ".join(names) or "no metrics in [evaluate.metrics]"
        hint = f"Did you mean `validation/{best}`?" if f"validation/{best}" in names else nearest(best, names)
        yield Fault(("checkpoint", "best"), f"no metric gives `{best}`; there are {there}", hint)
    if train.patience is not None and best is None:
        what = "`patience` counts validations that are not better by the score `checkpoint.best`, which is not set"
        hint = f'Set checkpoint.best = "{names[0]}".' if names else "Add a metric, and name its score there."
        yield Fault(("train", "patience"), what, hint, at_key=True)
