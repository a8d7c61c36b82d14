"""A training on one batch, whose losses must fall if what is to be trained can learn at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory

from typing_extensions import override

from genlab.assemble.read import CheckedRecipe, read_recipe, with_overrides
from genlab.engine.listener_list import ListenerList
from genlab.engine.runtime import memory_errors
from genlab.engine.training import Training
from genlab.interfaces.listener import Listener, Step, StepMetrics
from genlab.registry.discovery.trust import trusting
from genlab.runs.starting_weights import build_with_weights
from genlab.tools.overfit.causes import require_fall, require_gradients, require_weight, trained_weights
from genlab.tools.overfit.losses import AVERAGED, OverfitLoss, compared_terms, losses_so_far
from genlab.util.arguments import at_least, checked_arguments


@dataclass(frozen=True)
class Overfit:
    """A training on one batch that drove its losses down.

    Args:
        steps: how many steps that took.
        losses: those that compare a prediction with a target, by `phase/term`.
    """

    steps: int
    losses: Mapping[str, OverfitLoss]


@checked_arguments
def overfit(
    recipe: str | Path,
    *,
    overrides: Iterable[str] = (),
    plugins: Iterable[str | Path] = (),
    steps: int = 300,
    trust: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Overfit:
    """Train on a recipe's first batch alone, which must drive its losses down; nothing of it is kept.

    Schedules follow a training of that length.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        overrides: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.
        steps: the most steps to take; it ends as soon as the losses have fallen by a quarter.
        trust: whether to run code that came with a run of somebody else, such as a judge that the recipe names, and to
            remember it as trusted.
        on_progress: called with (done, total), in steps.

    Raises:
        TrainingError: a loss does not fall, has next to no weight, or none compares a prediction with a target.
        GenlabError: another of its kinds, for everything that a person can mend.
    """
    at_least(1, steps, "steps")
    checked = read_recipe(recipe, overrides=overrides, plugins=plugins)
    with trusting(trust):
        return _overfit(checked, steps, on_progress)


def _overfit(checked: CheckedRecipe, steps: int, on_progress: Callable[[int, int], None]) -> Overfit:
    shortened = with_overrides(checked, [f"train.steps={steps}", "train.values_every=1", "train.compile=false"])
    with memory_errors(), TemporaryDirectory() as folder:
        experiment = build_with_weights(shortened)[0].experiment
        values = _Values()
        training = Training(experiment, None, Path(folder), ListenerList([("overfit", values)]), lambda: False)
        before = trained_weights(experiment.method)
        losses: dict[str, OverfitLoss] = {}
        with training.ready() as batches:
            batch = next(batches)
            while training.step < steps:
                training.advance(training.next_batches(repeat(batch)))
                losses = losses_so_far(values.all, compared_terms(experiment.method, values.all[0].losses))
                if training.step == 1:
                    require_gradients(experiment.method, losses, values.all[0])
                    require_weight(experiment.method, losses, values.all[0])
                on_progress(training.step, steps)
                if training.step > AVERAGED and all(loss.has_fallen for loss in losses.values()):
                    break
    on_progress(steps, steps)
    require_fall(experiment, losses, training.step, before)
    return Overfit(training.step, losses)


class _Values(Listener):
    """The values of all steps."""

    def __init__(self) -> None:
        self.all: list[StepMetrics] = []

    @override
    def step(self, event: Step) -> None:
        assert event.values
        self.all.append(event.values)
