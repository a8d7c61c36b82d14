"""The estimate of a training's memory, beside what trainings take."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import GenCommand

import genlab
from genlab.assemble.memory_estimate import MemoryEstimate

MEASURE = """
import json, resource, sys
from itertools import islice, repeat
from pathlib import Path
from unittest.mock import patch
import genlab
from genlab.assemble import experiment
from genlab.engine.listener_list import ListenerList
from genlab.engine.training import Training

def taken():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

recipe, *overrides = sys.argv[1:]
checked = genlab.read_recipe(recipe, overrides=overrides)
build, before = experiment.build_networks, []
def noting(*given, **named):
    before.append(taken())
    return build(*given, **named)
with patch.object(experiment, "build_networks", noting):
    built = experiment.build(checked.recipe, checked.document)
training = Training(built.experiment, None, Path("none"), ListenerList([]), lambda: False)
with training.ready() as batches:
    batch = next(batches)
    for _ in range(2):
        training.advance(training.next_batches(repeat(batch)))
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before[0]))
"""
FACADES = 'data={name="drawn_facades", count=2, validation_count=1, size=72}'


@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("bridge_facades_small", []),  # most of it are weights and their copies
        ("cyclegan_facades_small", ["input.size=64", "train.batch_size=3"]),  # most of it are activations
    ],
)
def test_a_training_takes_up_to_twice_as_much_as_the_estimate(
    recipe: str, more: list[str], python: list[str], tmp_path: Path
) -> None:
    overrides = [FACADES, "train.threads=1", "train.device=cpu", "evaluate.pairs=1", *more]
    estimate = genlab.estimate_memory(recipe, overrides=overrides)
    assert estimate is not None
    command = [*python, "-c", MEASURE, recipe, *overrides]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert 0.8 < json.loads(done.stdout) / estimate.total < 2.1


def test_activations_grow_with_the_batch_and_nothing_else_does(tiny: Path) -> None:
    one, four = (genlab.estimate_memory(tiny, overrides=[f"train.batch_size={count}"]) for count in (1, 4))
    assert one and four
    assert (one.weights, one.gradients, one.optimizer) == (four.weights, four.gradients, four.optimizer)
    assert 3 < four.activations / one.activations < 4.1


def test_the_optimizer_has_two_values_for_each_weight(tiny: Path) -> None:
    found = genlab.estimate_memory(tiny)
    assert found
    parameters = sum(network.parameters for network in genlab.describe_networks(tiny))
    assert found.gradients == 4 * parameters
    assert 8 * parameters <= found.optimizer < 8.1 * parameters
    assert found.gradients <= found.weights < 1.1 * found.gradients


def test_a_component_that_looks_at_values_leaves_no_estimate(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "peeking.py"
    path.write_text(
        "import genlab, torch\n"
        "class Peeking(genlab.Loss):\n"
        "    def forward(self, condition, target, prediction):\n"
        "        distance = (prediction - target).abs().mean()\n"
        "        return distance if distance.item() < 3 else 2 * distance\n"
        "@genlab.hookimpl\n"
        "def genlab_register(registry):\n"
        "    registry.loss('peeking', Peeking)\n"
    )
    assert genlab.estimate_memory(tiny, overrides=["losses.peeking={}"], plugins=[path]) is None


def estimate(**changes: int) -> MemoryEstimate:
    parts = {"weights": 100, "gradients": 100, "optimizer": 200, "activations": 800, "batch_size": 8}
    return MemoryEstimate(**{**parts, "available": 1000, **changes})


@pytest.mark.parametrize(
    ("available", "expected"),
    [(850, "train.batch_size: 4 may fit"), (450, "reduce input.size"), (300, "reduce generator.channels")],
)
def test_too_much_has_a_hint_at_what_would_help(available: int, expected: str) -> None:
    assert estimate().total == 1200
    assert expected in (estimate(available=available).hint or "")


def test_enough_has_no_hint() -> None:
    assert estimate(available=1200).hint is None
    assert MemoryEstimate(1, 1, 2, 5, 1, None).hint is None


def test_the_command_warns_before_the_start(gen: GenCommand, tiny: Path) -> None:
    told = gen("check", tiny, "--set", "train.batch_size=60000", "--set", "input.size=1024")
    assert told.returncode == 0
    assert "memory: a training takes about" in told.stdout
    assert "activations" in told.stdout
    assert "warning: this may be too much. Reduce train.batch_size" in told.stderr
    assert "warning" not in gen("check", tiny).stderr
