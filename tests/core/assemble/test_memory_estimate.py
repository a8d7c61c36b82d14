"""The estimate of a training's memory, beside what trainings take."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import GenCommand
from tests.core.test_bad_input import plugin

import genlab
from genlab import TrainingError
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
PEEKING = """
class Peeking(genlab.Loss):
    def forward(self, condition, target, prediction):
        distance = (prediction - target).abs().mean()
        return distance if distance.item() < 3 else 2 * distance
"""
PLAIN = """
class Plain(genlab.Generator):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.layer = torch.nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, condition):
        return self.layer(condition)
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
    command = [*python, "-c", MEASURE, recipe, *overrides]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert 0.8 < json.loads(done.stdout) / estimate.total < 2.1


def test_activations_grow_with_the_batch_and_nothing_else_does(tiny: Path) -> None:
    one, four = (genlab.estimate_memory(tiny, overrides=[f"train.batch_size={count}"]) for count in (1, 4))
    assert (one.weights, one.gradients, one.optimizer) == (four.weights, four.gradients, four.optimizer)
    assert 3 < four.activations / one.activations < 4.1


def test_the_optimizer_has_two_values_for_each_weight(tiny: Path) -> None:
    found = genlab.estimate_memory(tiny)
    parameters = sum(network.parameters for network in genlab.describe_networks(tiny))
    assert found.gradients == 4 * parameters
    assert 8 * parameters <= found.optimizer < 8.1 * parameters
    assert found.gradients <= found.weights < 1.1 * found.gradients


def test_why_there_is_no_estimate_is_told(tiny: Path, tmp_path: Path, gen: GenCommand) -> None:
    path = plugin(tmp_path, PEEKING, 'loss("peeking", Peeking)')
    with pytest.raises(TrainingError, match=r"a step without values failed: RuntimeError: .*meta"):
        genlab.estimate_memory(tiny, overrides=["losses.peeking={}"], plugins=[path])
    told = gen("check", tiny, "--set", "losses.peeking={}", "--plugin", path)
    assert told.returncode == 0
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("memory: no estimate, as")]
    assert "RuntimeError: " in line and "meta" in line


def estimate(available: int | None = 1000, channels_key: str | None = "generator.channels") -> MemoryEstimate:
    return MemoryEstimate(100, 100, 200, 800, 8, channels_key, available)


@pytest.mark.parametrize(
    ("available", "expected"),
    [(850, "train.batch_size: 4 may fit"), (450, "reduce input.size"), (300, "reduce generator.channels")],
)
def test_too_much_has_a_hint_at_what_would_help(available: int, expected: str) -> None:
    assert estimate().total == 1200
    assert expected in (estimate(available).hint or "")


@pytest.mark.parametrize("available", [450, 300])
def test_the_hint_names_no_setting_that_the_generator_lacks(tiny: Path, tmp_path: Path, available: int) -> None:
    path = plugin(tmp_path, PLAIN, 'generator("plain", Plain)')
    found = genlab.estimate_memory(tiny, overrides=["generator.name=plain"], plugins=[path])
    assert found.channels_key is None
    assert genlab.estimate_memory(tiny).channels_key == "generator.channels"
    told = estimate(available=available, channels_key=found.channels_key).hint or ""
    assert "generator.channels" not in told and "take smaller networks" in told


def test_all_batches_of_a_step_are_in_memory_at_once_and_a_cpu_saves_nothing_in_16_bits(tiny: Path) -> None:
    batch = 64 * 2 * 3 * 32 * 32 * 4
    one, four = (
        genlab.estimate_memory(tiny, overrides=["train.batch_size=64", f"train.accumulate={count}"]).activations
        for count in (1, 4)
    )
    assert four - one >= 2 * batch  # less than three: the passes of one batch alone are kept
    half = genlab.estimate_memory(tiny, overrides=["train.batch_size=64", "train.precision=bfloat16"])
    assert half.activations >= one


def test_enough_has_no_hint() -> None:
    assert estimate(available=1200).hint is None
    assert estimate(available=None).hint is None


def test_the_command_warns_before_the_start(gen: GenCommand, tiny: Path) -> None:
    told = gen("check", tiny, "--set", "train.batch_size=60000", "--set", "input.size=1024")
    assert told.returncode == 0
    assert "memory: a training on pairs of three channels takes about" in told.stdout
    assert "activations" in told.stdout
    assert "warning: this may be too much. Reduce train.batch_size" in told.stderr
    assert "warning" not in gen("check", tiny).stderr
