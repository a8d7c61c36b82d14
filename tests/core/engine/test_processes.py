"""Several processes that share each batch train as one does with the whole batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.conftest import ROOT
from tests.core.runs.shared import run_all
from tests.processes.steps import take_steps

from genlab.engine.processes import Processes

SMOOTH = [
    "data.count=7",
    "train.batch_size=6",
    "evaluate.metrics={l1={}, psnr={}}",
    # A squared difference has no kink, at which rounding decides the sign of a gradient.
    "losses={l1=false, l2={weight=10}, r1={weight=1}}",
    # Updates in proportion to gradients: Adam's own divide rounding errors by their size.
    "optimizer.epsilon=1.0",
    "optimizer.learning_rate=0.02",
    "discriminator.norm=instance",
]
CASES = {
    "no norm": [*SMOOTH, "generator.dropout=0.0", "generator.norm=none", "optimizer.clip=0.5"],
    "instance norm": [*SMOOTH, "generator.dropout=0.0", "generator.norm=instance", "train.accumulate=2"],
    "synchronized batch norm": [*SMOOTH, "generator.dropout=0.0", "generator.norm=batch", "train.sync_batch_norm=true"],
    "dropout": [*SMOOTH, "generator.dropout=0.5", "generator.norm=batch"],
}
TOLERANCE = 1e-4
"""Of weights and statistics after three steps, relative to the largest value of their tensor."""


def steps(words: list[str], size: int, result: Path, tiny: Path) -> dict[str, Any]:
    arguments = [word for case in CASES.values() for word in ("--", *case)][1:]
    command = [*words, "-m", "tests.processes.steps", str(tiny), str(result), *arguments]

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for code, errors in run_all(command, size, environment):
        assert code == 0, errors
    return torch.load(result, weights_only=False)


@pytest.fixture(scope="module")
def shared(forked_python: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """What two and three processes made of each case."""
    folder, tiny = tmp_path_factory.mktemp("shared"), ROOT / "tests" / "assets" / "tiny.toml"
    return {size: steps(forked_python, size, folder / str(size), tiny) for size in (2, 3)}


@pytest.fixture(scope="module")
def alone() -> list[dict[str, Any]]:
    torch.set_num_threads(1)
    tiny = ROOT / "tests" / "assets" / "tiny.toml"
    return [take_steps(tiny, case, Processes()) for case in CASES.values()]


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference of a value, relative to the largest one of its tensor."""
    assert one.keys() == other.keys()
    return max(
        float((value - other[name]).abs().max() / value.abs().max().clamp_min(0.1)) for name, value in one.items()
    )


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", ["no norm", "instance norm", "synchronized batch norm"])
def test_several_processes_train_as_one(
    shared: dict[int, dict[str, Any]], alone: list[dict[str, Any]], name: str, size: int
) -> None:
    place = [*CASES].index(name)
    found, wanted = shared[size]["cases"][place], alone[place]
    assert distance(found["state"], wanted["state"]) < TOLERANCE
    assert found["losses"] == [pytest.approx(step, rel=TOLERANCE) for step in wanted["losses"]]
    scores, per_image = found["measured"]
    assert scores == pytest.approx(wanted["measured"][0], rel=1e-3)
    assert {name: [*values] for name, values in per_image.items()} == {
        name: [*values] for name, values in wanted["measured"][1].items()
    }


def test_the_comparison_can_fail(shared: dict[int, dict[str, Any]], alone: list[dict[str, Any]]) -> None:
    place = [*CASES].index("dropout")
    assert distance(shared[2]["cases"][place]["state"], alone[place]["state"]) > 10 * TOLERANCE


@pytest.mark.parametrize("size", [2, 3])
def test_the_shares_of_a_batch_are_the_batch(
    shared: dict[int, dict[str, Any]], alone: list[dict[str, Any]], size: int
) -> None:
    for place, case in enumerate(alone):
        by_process = [samples[place] for samples in shared[size]["samples"]]
        joined = [tuple(number for part in parts for number in part) for parts in zip(*by_process, strict=True)]
        assert joined == case["samples"]
