"""Three steps of recipes in one of several processes, by torchrun's variables.

`python -m tests.processes.steps RECIPE RESULT KEY=VALUE... -- KEY=VALUE...`, with the values of each case. The first
process writes all that the steps changed, and their losses and metrics.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from genlab import GenlabError, Listener, Step
from genlab.assemble.experiment import build
from genlab.assemble.read import read_recipe
from genlab.engine.equality import require_equal_state
from genlab.engine.listener_list import ListenerList
from genlab.engine.processes import Processes, joined
from genlab.engine.train_state import TrainState
from genlab.engine.training import Training
from genlab.engine.validation import validate


class _Losses(Listener):
    def __init__(self) -> None:
        self.read: list[dict[str, float]] = []

    def step(self, event: Step) -> None:
        assert event.values is not None
        self.read.append(dict(event.values.losses))


def take_steps(recipe: Path, assignments: list[str], processes: Processes) -> dict[str, object]:
    """All that three steps changed, by name."""
    checked = read_recipe(recipe, overrides=assignments)
    made = replace(build(checked.recipe, checked.document).experiment, processes=processes)
    heard = _Losses()
    training = Training(made, None, recipe, ListenerList([("heard", heard)]), lambda: False)
    with training.ready() as batches:
        samples: list[tuple[int, ...]] = []
        for _ in range(3):
            given = training.next_batches(batches)
            samples += [batch.draws.samples for batch in given]
            training.advance(given)
    measured = validate(made, training.predictor, training.stopping_together)
    state = {f"{role}/{name}": value for role, net in made.networks.items() for name, value in net.state_dict().items()}
    return {"state": state, "losses": heard.read, "measured": tuple(measured), "samples": samples}


def refusals(recipe: Path, assignments: list[str], processes: Processes) -> list[str]:
    """What is raised where processes differ: in a library, and in a weight."""
    checked = read_recipe(recipe, overrides=assignments)
    made = build(checked.recipe, checked.document).experiment
    state = TrainState(made.method, made.optimizers)
    require_equal_state(state, processes, 0)
    if processes.rank == 1:
        with torch.no_grad():
            next(made.networks["generator"].parameters()).view(-1)[0] += 1e-6
    raised: list[str] = []
    for check in (
        lambda: processes.require_equal({"torch": f"2.{processes.rank}"}),
        lambda: require_equal_state(state, processes, 7),
    ):
        try:
            check()
        except GenlabError as error:
            raised.append(f"{type(error).__name__}: {error}")
    return raised


def main() -> None:
    """Take the steps of each list of values, which `--` separates."""
    recipe, result, *words = sys.argv[1:]
    cases: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            cases.append([])
        else:
            cases[-1].append(word)
    torch.set_num_threads(1)
    with joined() as processes:
        found = [take_steps(Path(recipe), case, processes) for case in cases]
        raised = processes.to_first(refusals(Path(recipe), cases[0], processes))
        samples = processes.to_first([case["samples"] for case in found])
        if processes.is_first:
            torch.save({"cases": found, "samples": samples, "raised": raised}, result)


if __name__ == "__main__":
    main()
