"""Ablations on a real Ray of two local nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.toy import await_true, has_checkpoint, train_locally, write_ablation
from tests.core.ablation.outputs import figures, trials, weights

pytestmark = pytest.mark.cluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of a head without CPUs, and two nodes with one each, all of them at 127.0.0.1."""
    # Read when Ray is imported: whoever connects is at the loopback address too.
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    utilities = pytest.importorskip("ray.cluster_utils")
    made = utilities.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    )
    made.workers = [made.add_node(num_cpus=1, node_ip_address="127.0.0.1") for _ in range(2)]
    yield made
    made.shutdown()


def start(folder: Path, words: list[str], **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "genlab", *words, "--out", "out", "--submit", "ray"]
    return subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)


def is_held_by_two(folder: Path) -> bool:
    return len(list(folder.glob("claims/*@*"))) == 2 and len(list(folder.glob("trials/*/*/checkpoints"))) == 2


@pytest.mark.parametrize("recipe", ["toy", "ablation_skips_small"])
def test_a_node_that_is_removed_in_the_middle_costs_nothing(
    cluster: Any, tiny: Path, tmp_path: Path, recipe: str
) -> None:
    words = write_ablation(recipe, tmp_path, tiny)
    (tmp_path / "flag").touch()
    # What is trusted is told to the tasks, whose home has no record of it.
    watching = start(tmp_path, [*words, "--address", cluster.address])
    folder = tmp_path / "out"
    await_true(lambda: has_checkpoint(folder) and is_held_by_two(folder))
    cluster.remove_node(cluster.workers[0], allow_graceful=False)
    (tmp_path / "flag").unlink()
    _, told = watching.communicate(timeout=300)
    assert watching.returncode == 0, told
    trained = trials(folder)
    assert told.count("finished    ") == len(trained) >= 4
    assert "left        " in told
    local = train_locally(tmp_path, words)
    assert trials(local) == trained
    assert figures(folder) == figures(local)
    assert weights(folder) == weights(local)


def test_a_cluster_that_is_not_there_is_told(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    told = start(tmp_path, [*write_ablation("toy", tmp_path, tiny), "--address", "127.0.0.1:1"]).communicate(
        timeout=120
    )[1]
    assert "no Ray cluster is reached at 127.0.0.1:1" in told
    assert "ray start --head" in told
    assert "Traceback" not in told
