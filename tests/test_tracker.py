"""Runs in MLflow: trained, paused, killed and resumed, and read back with its client, in an environment of its own."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from tests.fresh import ROOT, Fresh, make_environment_apart

pytestmark = pytest.mark.tracker

EXAMPLE = ROOT / "examples" / "genlab-mlflow"

READ = """
import json, sys
from mlflow import MlflowClient

client = MlflowClient(f"sqlite:///{sys.argv[1]}")
found = []
for run in client.search_runs([one.experiment_id for one in client.search_experiments()]):
    histories = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
    found.append({
        "name": run.info.run_name,
        "experiment": client.get_experiment(run.info.experiment_id).name,
        "status": run.info.status,
        "params": run.data.params,
        "tags": run.data.tags,
        "steps": {key: [one.step for one in history] for key, history in histories.items()},
        "values": {key: {one.step: one.value for one in history} for key, history in histories.items()},
        "artifacts": [one.path for path in ("", "previews") for one in client.list_artifacts(run.info.run_id, path)],
    })
print(json.dumps(found))
"""

KILLED = """
import os
import genlab

genlab_interface = "1.0"

class Killed(genlab.Listener):
    '''Saves at step 4, and ends the process at step 6 where it is told to.'''
    def step(self, event):
        if event.step == 6 and os.environ.get("KILL"):
            os._exit(9)
        return genlab.SaveCheckpoint() if event.step == 4 else None

@genlab.hookimpl
def genlab_register(registry):
    registry.listener("killed", Killed)
"""

Gen = Callable[..., CompletedProcess[str]]


@pytest.fixture
def tracker(once: Callable[..., Path]) -> Fresh:
    return Fresh(once("tracker", lambda root: make_environment_apart(root, EXAMPLE.name)) / "bin")


@pytest.fixture
def gen(tracker: Fresh, tmp_path: Path) -> Gen:
    """Run a `gen` that has the tracker, in a folder of its own."""

    def run(*arguments: str | Path, fails: bool = False, **environment: str) -> CompletedProcess[str]:
        done = tracker.run("gen", *arguments, cwd=tmp_path, **environment)
        assert (done.returncode != 0) == fails, f"{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def read(tracker: Fresh, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """What MLflow's client reads of all runs in a store."""

    def runs(store: str = "runs/mlflow.db") -> list[dict[str, Any]]:
        done = tracker.run("python", "-c", READ, tmp_path / store, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return runs


Read = Callable[..., list[dict[str, Any]]]

TRACKED = ("--set", "listeners.mlflow={}")


def test_its_own_tests_pass(tracker: Fresh, tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("src", ".*"))
    done = tracker.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def test_a_resumed_run_is_one_run_with_each_value_once(gen: Gen, read: Read, tiny: Path, tmp_path: Path) -> None:
    gen("run", tiny, "--out", "runs/paused", "--stop-at", "3", *TRACKED)
    (paused,) = read()
    assert paused["status"] == "SCHEDULED"
    gen("resume", "runs/paused")

    (run,) = read()
    assert (run["name"], run["experiment"], run["status"]) == ("paused", "genlab", "FINISHED")
    assert run["params"]["generator.levels"] == "4"
    assert run["params"]["data.name"] == "genlab:drawn_facades"
    assert run["params"]["listeners.mlflow.experiment"] == "genlab"
    assert run["steps"]["loss/generator/l1"] == list(range(1, 9))
    assert run["steps"]["validation/l1"] == [4, 8]
    assert {"recipe.toml", "metrics.jsonl", "previews/000000.png", "previews/000008.png"} <= set(run["artifacts"])

    # The values are those of the run's own file.
    lines = [json.loads(line) for line in (tmp_path / "runs/paused/metrics.jsonl").read_text().splitlines()]
    losses = {str(line["step"]): line["losses"]["generator/l1"] for line in lines if "losses" in line}
    assert run["values"]["loss/generator/l1"] == losses
    assert not (tmp_path / "mlruns").exists()


def test_a_run_that_was_killed_has_no_value_twice(gen: Gen, read: Read, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    sets = [*TRACKED, "--set", "listeners.killed={}"]
    gen("run", tiny, "--plugin", "killed.py", "--out", "runs/killed", *sets, fails=True, KILL="1")
    (killed,) = read()
    assert killed["status"] == "RUNNING"
    assert max(killed["steps"]["loss/generator/l1"]) == 6

    told = gen("resume", "runs/killed", "--trust", "--set", "train.steps=10")
    assert "failed" not in told.stderr
    (run,) = read()
    assert run["status"] == "FINISHED"
    assert run["steps"]["loss/generator/l1"] == list(range(1, 11))
    assert all(max(Counter(steps).values()) == 1 for steps in run["steps"].values())
    assert (run["params"]["train.steps"], run["tags"]["resumed.train.steps"]) == ("8", "10")


def test_store_and_experiment_are_settings(gen: Gen, read: Read, tiny: Path, tmp_path: Path) -> None:
    store = tmp_path / "elsewhere" / "all.db"
    sets = [f"listeners.mlflow={{experiment='Häuser', tracking_uri='sqlite:///{store}'}}", "train.steps=1"]
    for name in ("one", "two"):
        gen("run", tiny, "--out", f"runs/{name}", *(word for value in sets for word in ("--set", value)))
    assert {(run["name"], run["experiment"]) for run in read("elsewhere/all.db")} == {
        ("one", "Häuser"),
        ("two", "Häuser"),
    }
    assert not (tmp_path / "runs" / "mlflow.db").exists()
    assert (store.parent / "mlflow_artifacts").is_dir()


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////dev/null/mlflow.db", "nonsense://store"])
def test_a_store_that_is_missing_stops_no_training(gen: Gen, tiny: Path, tmp_path: Path, uri: str) -> None:
    told = gen("run", tiny, "--out", "runs/alone", "--set", f"listeners.mlflow={{tracking_uri='{uri}'}}")
    assert "The listener `mlflow` failed and is switched off; the run continues" in " ".join(told.stderr.split())
    assert json.loads((tmp_path / "runs/alone/run.json").read_text())["status"] == "finished"


def test_a_store_that_is_damaged_stops_no_training(gen: Gen, tiny: Path, tmp_path: Path) -> None:
    gen("run", tiny, "--out", "runs/broken", "--stop-at", "3", *TRACKED)
    (tmp_path / "runs" / "mlflow.db").write_bytes(b"no database" * 1000)
    told = gen("resume", "runs/broken")
    assert "The listener `mlflow` failed" in told.stderr
    assert json.loads((tmp_path / "runs/broken/run.json").read_text())["status"] == "finished"


def test_trials_that_begin_at_the_same_time_are_all_tracked(gen: Gen, read: Read, tiny: Path, tmp_path: Path) -> None:
    question = '[ablation]\nseeds = [0, 1]\nbaseline = "unet"\nmetric = "validation/l1"\n[ablation.arms.unet]\n'
    question += "[ablation.arms.no-skips]\ngenerator.skips = false\n"
    store = tmp_path / "all.db"
    listener = f'[listeners.mlflow]\ntracking_uri = "sqlite:///{store}"\n'
    (tmp_path / "question.toml").write_text(f'extends = "{tiny}"\n{listener}{question}')
    gen("ablate", "question.toml", "--jobs", "2", "--out", "answer", "--set", "train.steps=2")
    runs = read("all.db")
    assert [run["status"] for run in runs] == ["FINISHED"] * 4
    assert Counter(run["params"]["generator.skips"] for run in runs) == {"True": 2, "False": 2}
