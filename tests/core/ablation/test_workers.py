"""Trials that are trained by worker processes: what fails, what is killed and what is stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import GenCommand
from tests.core.ablation.outputs import figures, trials, weights
from tests.manifests import read_manifest

from genlab.ablation.execute import execute
from genlab.ablation.jobs import Job, JobEnded, JobStarted

FAILING = """
import os
import genlab

class Failing(genlab.Loss):
    def __init__(self, *, how: str = "no") -> None:
        super().__init__()
        self.how = how

    def forward(self, condition, target, prediction):
        if self.how == "diverges":
            return prediction.mean() / 0
        if self.how == "dies":
            os.abort()
        if self.how == "raises":
            raise KeyError("a defect")
        return prediction.mean() * 0

@genlab.hookimpl
def genlab_register(registry):
    registry.loss("failing", Failing)
"""


def test_a_cell_that_fails_is_told_and_the_others_go_on(gen: GenCommand, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    arms = "".join(f'[ablation.arms.{how}]\nlosses.failing.how = "{how}"\n' for how in ("diverges", "dies", "raises"))
    recipe.write_text(recipe.read_text() + arms + "[losses.failing]\n")
    done = gen("ablate", recipe, "--out", "out", "--plugin", "failing.py", "--set", "ablation.seeds=[0]")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "the loss generator/failing became" in done.stderr
    assert "ended by signal SIGABRT" in done.stderr
    assert "the plugin failing.py failed: KeyError: 'a defect' (failing.py, line " in done.stderr
    statuses = {
        trial["arm"]: trial["status"] for trial in json.loads((tmp_path / "out" / "report.json").read_text())["trials"]
    }
    assert (statuses["skips"], statuses["no-skips"], statuses["diverges"]) == ("finished", "finished", "failed")


def test_killed_at_random_moments_it_ends_with_the_same_numbers(
    whole: Path, recipe: Path, tmp_path: Path, python: list[str]
) -> None:
    """Six times, and every second time with its workers; no trial that is finished is touched again."""
    command = [*python, "-m", "genlab", "ablate", str(recipe), "--out", "out", "--jobs", "2"]
    command += ["--set", "checkpoint.minutes=0.00001"]
    random_moment = random.Random(0)
    finished: dict[str, float] = {}
    for kill_workers in [False, True] * 3:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(random_moment.uniform(0.3, 3))
        workers = _workers(tmp_path)
        process.kill()
        process.communicate()
        for worker in workers if kill_workers else []:
            _kill(worker)
        for trial in trials(tmp_path / "out") if (tmp_path / "out" / "trials").is_dir() else []:
            run = tmp_path / "out" / "trials" / trial
            if (run / "run.json").is_file() and read_manifest(run)["status"] == "finished":
                *_, state = sorted(run.glob("checkpoints/*/generator.safetensors"))
                assert finished.setdefault(trial, state.stat().st_mtime) == state.stat().st_mtime
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert figures(tmp_path / "out") == figures(whole)
    assert weights(tmp_path / "out") == weights(whole)


def _workers(folder: Path) -> list[int]:
    """The processes that train trials in this folder."""
    if not Path("/proc/self/cmdline").is_file():
        pytest.skip("this system does not tell which processes are whose")
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            is_worker = b"genlab.ablation.worker" in (process / "cmdline").read_bytes()
            if is_worker and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_ctrl_c_saves_what_is_trained_and_it_goes_on(
    recipe: Path, whole: Path, tmp_path: Path, python: list[str]
) -> None:
    """One job at a time gives the numbers of two, interrupted or not."""
    command = [*python, "-m", "genlab", "ablate", str(recipe), "--out", "out", "--jobs", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not list((tmp_path / "out").glob("trials/*/*/metrics.jsonl")):
        assert time.monotonic() < end
        time.sleep(0.01)
    workers = _workers(tmp_path)
    assert workers
    for _ in range(2):  # as a terminal, a scheduler and the parent may each send one
        process.send_signal(signal.SIGINT)
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert "failed" not in told
    assert list((tmp_path / "out").glob("trials/*/*/checkpoints/[0-9]*")), "what was trained is saved"
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    assert figures(tmp_path / "out") == figures(whole)
    assert weights(tmp_path / "out") == weights(whole)


STOPPED_AT_A_START = """
import os, signal, subprocess, time
import genlab
from genlab.ablation import execute

def start(*arguments, real=subprocess.Popen, **options):
    process = real(*arguments, **options)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)
    return process

execute.subprocess.Popen = start
genlab.ablate("arms.toml", out="out", jobs=2)
"""


def test_stopped_while_a_process_starts_it_trains_nothing(recipe: Path, tmp_path: Path, python: list[str]) -> None:
    subprocess.run([*python, "-c", STOPPED_AT_A_START], cwd=tmp_path, capture_output=True, timeout=60)
    assert (tmp_path / "out" / "workers.log").is_file()
    assert not (tmp_path / "out" / "trials").exists()


def test_a_process_that_cannot_be_started_fails_its_cell(tmp_path: Path) -> None:
    planned = tmp_path / "out" / "planned"
    planned.mkdir(parents=True)
    jobs = [Job(name, planned / f"{name}.toml", tmp_path / name) for name in ("one", "other")]
    told: list[object] = []
    execute(jobs, [{}], tmp_path / "no-folder" / "workers.log", told.append, lambda: False)
    assert [event.job for event in told if isinstance(event, JobStarted)] == jobs
    assert [event.status for event in told if isinstance(event, JobEnded)] == ["failed", "failed"]
    assert "no process could be started for it: [Errno 2]" in str(told[-1])
