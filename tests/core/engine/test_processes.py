"""Several processes that share each batch train as one does with the whole batch."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.conftest import ROOT
from tests.core.runs.shared import run_all
from tests.processes.steps import take_steps

from genlab import DeviceError
from genlab.engine import processes as processes_module
from genlab.engine.processes import Processes
from genlab.util.environment import Launch

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
    "dropout again": [*SMOOTH, "generator.dropout=0.5", "generator.norm=batch"],
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


@pytest.mark.parametrize("size", [2, 3])
def test_what_is_drawn_is_repeatable(shared: dict[int, dict[str, Any]], size: int) -> None:
    first, second = shared[size]["cases"][-2:]
    assert [name for name, value in first["state"].items() if not value.equal(second["state"][name])] == []
    assert first["losses"] == second["losses"]


def test_processes_that_differ_are_refused_once(shared: dict[int, dict[str, Any]]) -> None:
    (library, weight), *others = shared[3]["raised"]
    host = socket.gethostname()
    assert f"torch: 2.0 for process 0 on {host}, and 2.1 for process 1 on {host}" in library
    assert "process 1 has other values than process 0 at step 7, first the weights of the generator" in weight
    assert "nothing is saved" in weight
    assert [[error.partition(":")[0] for error in raised] for raised in others] == [["LostProcessError"] * 2] * 2


def test_more_processes_than_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(processes_module, "_new_group", lambda *_: None)
    with pytest.raises(DeviceError, match=r"4 processes were started on .*, which has 2 cuda devices") as caught:
        Processes(Launch(0, 4, 0, 4)).require_devices(torch.device("cuda"))
    assert "one process for each device: 2" in str(caught.value.hint)
    Processes(Launch(0, 4, 0, 4)).require_devices(torch.device("cpu"))
