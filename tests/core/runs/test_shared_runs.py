"""One run that several processes train: it continues with any number of them, and ends undisturbed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.checkpoints import tensor_digests
from tests.conftest import ROOT
from tests.core.runs.shared import options, positions, run_all, variables

from genlab.engine.checkpoint_files import checkpoints, network_file

TINY = ROOT / "tests" / "assets" / "tiny.toml"
STEPS, BATCH = 8, 6


@pytest.fixture(scope="module")
def undisturbed(forked_python: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one process that no launcher started."""
    folder = tmp_path_factory.mktemp("undisturbed")
    command = [*forked_python, "-m", "genlab", "run", TINY, *options(folder), "--out", folder / "run"]
    subprocess.run(list(map(str, command)), env=variables(folder), check=True, capture_output=True, timeout=60)
    return folder / "run"


def weights(run: Path) -> dict[str, torch.Tensor]:
    last = checkpoints(run / "checkpoints")[-1]
    roles = ("generator", "discriminator")
    return {f"{role}/{name}": value for role in roles for name, value in load_file(network_file(last, role)).items()}


def assert_equal(run: Path, undisturbed: Path) -> None:
    """The weights are the same, but for the order of sums."""
    wanted = weights(undisturbed)
    torch.testing.assert_close(weights(run), wanted, rtol=1e-4, atol=1e-6)
    manifest = json.loads((run / "run.json").read_text())
    assert (manifest["status"], manifest["step"]) == ("finished", STEPS)


def test_one_process_of_a_launcher_trains_as_a_plain_one(
    undisturbed: Path, forked_python: list[str], tmp_path: Path
) -> None:
    command = [*forked_python, "-m", "genlab", "run", TINY, *options(tmp_path), "--out", tmp_path / "run"]
    assert run_all(command, 1, variables(tmp_path)) == [(0, "")]
    assert tensor_digests(tmp_path / "run") == tensor_digests(undisturbed)


def test_it_continues_with_any_number_of_processes(undisturbed: Path, forked_python: list[str], tmp_path: Path) -> None:
    """Two until a signal to the second one, then one, then three: each pair is seen once an epoch."""
    run = tmp_path / "run"
    gen = [*forked_python, "-m", "genlab"]
    start = [*gen, "run", TINY, *options(tmp_path), "--out", run]
    stopped = run_all(start, 2, variables(tmp_path, at="1/2", does="SIGTERM"))
    assert [code for code, _ in stopped] == [130, 143]
    assert json.loads((run / "run.json").read_text())["step"] == 3
    assert run_all([*gen, "resume", run, "--stop-at", "5"], 1, variables(tmp_path)) == [(0, "")]
    # The same command goes on with its own run.
    assert [code for code, _ in run_all(start, 3, variables(tmp_path))] == [0, 0, 0]
    assert_equal(run, undisturbed)
    manifest = json.loads((run / "run.json").read_text())
    assert [(part["step"], part["count"]) for part in manifest["processes"]] == [(0, 2), (3, 1), (5, 3)]
    assert positions(tmp_path) == dict.fromkeys(range(STEPS * BATCH), 1)

    verified = subprocess.run([*gen, "verify", str(run)], env=variables(tmp_path), capture_output=True, text=True)
    assert verified.returncode == 2
    assert "3 processes trained this run" in verified.stderr

    # Finished, the same command has nothing to do; another recipe is refused once, and quietly by the others.
    done = run_all(start, 2, variables(tmp_path))
    assert [code for code, _ in done] == [0, 0]
    assert "has finished already" in done[0][1]
    assert done[1][1] == ""
    (code, error), _ = run_all([*start, "--set", "seed=1"], 2, variables(tmp_path))
    assert code == 2
    assert "a run of another recipe" in error


def test_what_cannot_be_shared_is_refused(forked_python: list[str], tmp_path: Path) -> None:
    command = [*forked_python, "-m", "genlab", "run", TINY, "--out", tmp_path / "run"]
    values = ["train.batch_size=3", "losses.adversarial=false", "losses.relativistic_average={}"]
    words = [word for value in values for word in ("--set", value)]
    (code, error), (other, _) = run_all([*command, *words], 2, variables(tmp_path))
    assert (code, other) == (2, 1)
    assert "a batch of 3 cannot be divided equally among 2 processes" in error
    assert "`relativistic_average` is not a mean over images" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.cold
def test_torchrun_restarts_what_was_killed(undisturbed: Path, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    genlab = ["-m", "genlab", "run", TINY, *options(tmp_path, "checkpoint.minutes=1e-9"), "--out", tmp_path / "run"]
    environment = {**variables(tmp_path, at="1/4", does="SIGKILL"), "OMP_NUM_THREADS": "1"}
    command = list(map(str, [*torchrun, *genlab]))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sprung").exists()
    assert_equal(tmp_path / "run", undisturbed)
    assert positions(tmp_path) == dict.fromkeys(range(STEPS * BATCH), 1)


@pytest.mark.cold
def test_devices_start_processes_of_which_one_message_says_why_it_failed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "genlab", "run", TINY, *options(tmp_path), "--out", tmp_path / "run"]
    environment = {**variables(tmp_path, at="1/4", does="raise"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*map(str, command), "--devices", "2"], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1
    assert done.stderr.count("error:") == 1
    assert "process 1 of 2" in done.stderr
    assert "the trap was sprung" in done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["step"] == 0
