"""What MLflow's client reads of a run's events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from genlab import Ended, Pictures, Previewed, Started, Step, StepMetrics, Validated
from mlflow import MlflowClient
from mlflow.entities import Run

from genlab_mlflow.listener import MLflow

RECIPE = 'title = "Ünet"\n[train]\nsteps = {steps}\n[losses."my l1 (ü)"]\nname = "genlab:l1"\nweights = [1, 2.5]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder, with a name that needs care."""
    folder = tmp_path / "façades, [v2] run"
    folder.mkdir()
    return folder


@pytest.fixture
def client(store: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{store}")


@pytest.fixture
def begin(folder: Path, store: Path) -> Callable[..., MLflow]:
    """A listener that has heard that the run starts, or goes on after a step."""

    def make(step: int = 0, steps: int = 100, experiment: str = "genlab") -> MLflow:
        listener = MLflow(tracking_uri=f"sqlite:///{store}", experiment=experiment)
        listener.started(Started(folder, "Ünet", RECIPE.format(steps=steps), {"device": "cpu"}, step, steps, 4))
        return listener

    return make


def measured(step: int, loss: float = 0.5) -> Step:
    return Step(step, StepMetrics({"generator/l1": loss}, {"generator": 2e-4}, {}, {}, images_per_second=8.5))


def pictures() -> Pictures:
    sides = (np.full((2, 8, 12, 3), value, np.uint8) for value in (10, 120, 250))
    return Pictures(("façade 1.jpg", "nested/2.jpg"), *sides)


def stored(folder: Path, client: MlflowClient) -> Run:
    return client.get_run((folder / "mlflow_run_id").read_text().strip())


def points(folder: Path, client: MlflowClient, key: str) -> list[tuple[int, float]]:
    history = client.get_metric_history(stored(folder, client).info.run_id, key)
    return sorted((metric.step, metric.value) for metric in history)


def artifacts(folder: Path, client: MlflowClient, path: str | None = None) -> set[str]:
    return {found.path for found in client.list_artifacts(stored(folder, client).info.run_id, path)}


def test_a_run_is_read_back(begin: Callable[..., MLflow], folder: Path, client: MlflowClient) -> None:
    listener = begin(experiment="Häuser / facades")
    run = stored(folder, client)
    assert run.info.status == "RUNNING"
    assert run.info.run_name == "façades, [v2] run"
    assert client.get_experiment(run.info.experiment_id).name == "Häuser / facades"
    assert run.data.params == {
        "title": "Ünet",
        "train.steps": "100",
        "losses.my l1 _ü_.name": "genlab:l1",
        "losses.my l1 _ü_.weights": "[1, 2.5]",
    }

    (folder / "metrics.csv").write_text("step\n")
    (folder / "run.json").write_text("{}")
    listener.previewed(Previewed(0, pictures()))
    listener.step(Step(9, None))
    listener.step(measured(10))
    listener.validated(Validated(10, {"validation/l1": 0.3}))
    listener.ended(Ended(10, "finished", 12.5))

    assert points(folder, client, "loss/generator/l1") == [(10, 0.5)]
    assert points(folder, client, "learning_rate/generator") == [(10, 2e-4)]
    assert points(folder, client, "speed/images_per_second") == [(10, 8.5)]
    assert points(folder, client, "validation/l1") == [(10, 0.3)]
    assert artifacts(folder, client) == {"metrics.csv", "previews", "recipe.toml"}
    assert artifacts(folder, client, "previews") == {"previews/000000.png"}
    assert stored(folder, client).info.status == "FINISHED"


@pytest.mark.parametrize(("end", "status"), [("paused", "SCHEDULED"), ("interrupted", "KILLED"), ("failed", "FAILED")])
def test_its_status_is_how_it_ended_and_runs_again_after_a_resume(
    begin: Callable[..., MLflow], folder: Path, client: MlflowClient, end: str, status: str
) -> None:
    begin().ended(Ended(0, end, 1.0))  # type: ignore[arg-type]
    assert stored(folder, client).info.status == status
    begin()
    assert stored(folder, client).info.status == "RUNNING"


def test_a_resume_from_before_the_last_events_doubles_nothing(
    begin: Callable[..., MLflow], folder: Path, client: MlflowClient
) -> None:
    listener = begin()
    before = stored(folder, client).info.run_id
    for step in (1, 2, 3):
        listener.step(measured(step, step / 8))
    listener.validated(Validated(2, {"validation/l1": 0.3}))
    listener = begin(step=1, steps=200)
    for step in (2, 3, 4):
        listener.step(measured(step, step / 8))
    listener.validated(Validated(2, {"validation/l1": 0.3}))
    listener.validated(Validated(4, {"validation/l1": 0.2}))

    assert stored(folder, client).info.run_id == before
    assert points(folder, client, "loss/generator/l1") == [(step, step / 8) for step in (1, 2, 3, 4)]
    assert points(folder, client, "validation/l1") == [(2, 0.3), (4, 0.2)]
    assert stored(folder, client).data.params["train.steps"] == "100"
    assert stored(folder, client).data.tags["resumed.train.steps"] == "200"


def test_a_store_that_lost_the_run_gets_a_new_one(
    begin: Callable[..., MLflow], folder: Path, client: MlflowClient
) -> None:
    (folder / "mlflow_run_id").write_text("0" * 32)
    begin(step=4).step(measured(5))
    assert stored(folder, client).info.run_id != "0" * 32
    assert points(folder, client, "loss/generator/l1") == [(5, 0.5)]


def test_without_a_store_named_it_is_beside_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    listener = MLflow()
    listener.started(Started(folder, "Ünet", "seed = 0\n", {"device": "cpu"}, 0, steps=8, batch_size=1))
    listener.ended(Ended(0, "finished", 1.0))
    names = {path.name for path in folder.parent.iterdir()}
    assert names - {".mlflow.lock"} == {folder.name, "mlflow.db", "mlflow_artifacts"}
    assert {path.name for path in folder.iterdir()} == {"mlflow_run_id"}
