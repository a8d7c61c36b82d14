"""Worker process that takes training steps on request: `python -m genlab.tools.bench.worker`.

Each implementation has its own process, and so its own memory, caches and allocator settings. It reads commands from
its standard input and answers on its standard output, a JSON value a line both ways: first the job, which it answers
when it is warm, then `step`, `matrix`, `end` or `flops`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

from genlab.assemble.experiment import Built, build
from genlab.assemble.read import read_recipe
from genlab.config.diagnostics import recipe_error
from genlab.engine.experiment import Experiment
from genlab.engine.listener_list import ListenerList
from genlab.engine.runtime import cpu_threads, device_name, memory_errors, tf32_and_autotune
from genlab.engine.seeding import isolated_rng
from genlab.engine.training import Training
from genlab.engine.work import flops_of, seconds_of
from genlab.errors import Fault, GenlabError
from genlab.interfaces.listener import Ended, Started
from genlab.registry.discovery.trust import trusting
from genlab.tools.bench.measure import PROFILED, matrix_rate, peak_memory, shares_of
from genlab.tools.bench.reference import PlainStep

WARM_UP = 2
_BATCHES = 8


@dataclass(frozen=True)
class Way:
    """One implementation of a training step.

    Args:
        step: takes one.
        spent: seconds so far that it waited for pairs, and that the steps themselves took, where that can be told.
    """

    step: Callable[[], None]
    spent: Callable[[], tuple[float, float]]


@contextmanager
def reference(built: Built) -> Generator[Way, None, None]:
    """The plain implementation, on the recipe's first batches, read beforehand."""
    experiment = built.experiment
    take = PlainStep(experiment.method, experiment.optimizers)
    with closing(experiment.batches.starting_at(0)) as batches:
        first = cycle(list(islice(batches, _BATCHES)))
    with tf32_and_autotune(experiment.device):
        yield Way(lambda: take(next(first)), lambda: (0.0, 0.0))


@contextmanager
def genlab(built: Built) -> Generator[Way, None, None]:
    """The training loop's, with its listeners, on batches as they come; without validations and previews."""
    experiment = built.experiment
    listeners = ListenerList(experiment.listeners)
    with tempfile.TemporaryDirectory() as name:
        training = Training(experiment, None, Path(name) / "checkpoints", listeners, lambda: False)
        train = built.recipe.settings.train
        listeners.emit(Started(Path(name), "benchmark", built.recipe.toml(), {}, 0, train.steps, train.batch_size))
        with training.ready() as batches:
            timer = training.timer
            yield Way(lambda: training.advance(training.next_batches(batches)), lambda: (timer.waited, timer.stepped))
        listeners.emit(Ended(training.step, "paused", training.timer.seconds(), None, {}))


WAYS = {"reference": reference, "genlab": genlab}


def _read_ahead(experiment: Experiment, steps: int) -> None:
    """Have the pairs of so many steps in memory, as they are from the second epoch on."""
    drawn = experiment.batches.indices(0, experiment.batches_before(steps))
    for cache, index in experiment.training.reads(*drawn):
        cache[index]


def main() -> None:
    """Take steps as asked on standard input, and answer with their times."""
    # Output of plugins and listeners must not get between the answers.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(value: Any) -> None:
        channel.write(json.dumps(value) + "\n")
        channel.flush()

    job = json.loads(sys.stdin.readline())
    try:
        with memory_errors():
            _serve(job, answer)
    except GenlabError as error:
        answer({"error": {"what": error.what, "where": error.where, "hint": error.hint}})


def _serve(job: dict[str, Any], answer: Callable[[Any], None]) -> None:
    taken = job["steps"] + 1 + WARM_UP + PROFILED
    # One step ahead, so that later pairs are not read while a step is measured.
    overrides = [*job["overrides"], "train.read_ahead=0"]
    checked = read_recipe(job["recipe"], overrides=overrides, plugins=job["plugins"])
    if checked.recipe.settings.train.steps < taken:  # a schedule has no rate for steps after its end
        checked = read_recipe(job["recipe"], overrides=[*overrides, f"train.steps={taken}"], plugins=job["plugins"])
    if checked.recipe.settings.train.accumulate > 1:
        what = "a benchmark compares steps of one batch"
        hint = "Add --set train.accumulate=1: an accumulated step takes as many times as long as it has batches."
        raise recipe_error([Fault(("train", "accumulate"), what, hint)], checked.document)
    with trusting(job["trust"]):
        built = build(checked.recipe, checked.document)
    train, device = built.recipe.settings.train, built.experiment.device
    _read_ahead(built.experiment, taken + 1)
    with cpu_threads(train.threads), isolated_rng(device), WAYS[job["way"]](built) as way:
        first_step = seconds_of(way.step, device)
        for _ in range(WARM_UP):
            way.step()
        # Not before: the next process is started then, and must find the machine idle.
        answer(
            {
                "first_step": first_step,
                "device": device_name(device, train.threads),
                "batch_size": train.batch_size,
                "size": built.recipe.settings.input.height_width,
            }
        )
        for line in sys.stdin:
            match json.loads(line):
                case "step":
                    answer(_timed(way, device))
                case "matrix":
                    answer(matrix_rate(device))
                case "flops":
                    answer(flops_of(way.step))
                case _:
                    memory = peak_memory(device)  # before a profile adds its own
                    answer({"memory": memory, "shares": shares_of(way.step, device)})


def _timed(way: Way, device: torch.device) -> dict[str, float]:
    """The seconds that a step took, and those of them that went into waiting for pairs and into the step itself."""
    before = way.spent()
    seconds = seconds_of(way.step, device)
    waited, stepped = (now - then for now, then in zip(way.spent(), before, strict=True))
    return {"seconds": seconds, "waited": waited, "stepped": stepped}


if __name__ == "__main__":
    main()
