"""A genlab run's own run in MLflow's store."""

import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from PIL.Image import Image


class TrackedRun:
    """The MLflow run whose id is in the file `mlflow_run_id` of the genlab run's folder, or a new one."""

    def __init__(self, folder: Path, experiment: str, tracking_uri: str) -> None:
        uri = tracking_uri or f"sqlite:///{folder.resolve().parent / 'mlflow.db'}"
        database = Path(uri.removeprefix("sqlite:///")).resolve() if uri.startswith("sqlite:///") else None
        # Two processes that create a database at the same time would leave it broken.
        with FileLock(database.with_name(".mlflow.lock"), timeout=60) if database else nullcontext():
            self._client = MlflowClient(uri)
            run = self._open(folder, experiment, database)
        self._id, self._params = run.info.run_id, run.data.params
        self._client.update_run(self._id, status="RUNNING")
        histories = {key: self._client.get_metric_history(self._id, key) for key in run.data.metrics}
        self._last = {key: max(metric.step for metric in history) for key, history in histories.items()}

    def _open(self, folder: Path, experiment: str, database: Path | None) -> Run:
        file = folder / "mlflow_run_id"
        with suppress(FileNotFoundError, MlflowException):  # a new run, or a store that does not have it
            return self._client.get_run(file.read_text().strip())
        run = self._client.create_run(self._experiment_id(experiment, database), run_name=folder.resolve().name)
        file.write_text(f"{run.info.run_id}\n")
        return run

    def _experiment_id(self, name: str, database: Path | None) -> str:
        # MLflow itself would put the artifacts of a local store into the working directory.
        artifacts = database.with_name("mlflow_artifacts").as_uri() if database else None
        with suppress(MlflowException):  # it exists, perhaps by a run that started at the same time
            return self._client.create_experiment(name, artifacts)
        found = self._client.get_experiment_by_name(name)
        assert found, f"no experiment {name!r}, and it cannot be created"
        return found.experiment_id

    def set_recipe(self, recipe: str) -> None:
        """Write the recipe as parameters and as a file; parameters are final, so what a resume changed is tags."""
        values = {_name(key): str(value) for key, value in _flat(tomllib.loads(recipe))}
        params = [Param(key, value) for key, value in values.items() if key not in self._params]
        tags = [RunTag(f"resumed.{key}", new) for key, new in values.items() if self._params.get(key, new) != new]
        self._client.log_batch(self._id, params=params, tags=tags)
        self._client.log_text(self._id, recipe, "recipe.toml")

    def add_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add metrics of a step, except those from before the run was cut off: MLflow would keep both."""
        now = int(time.time() * 1000)
        named = {_name(name): value for name, value in metrics.items()}
        new = [Metric(key, value, now, step) for key, value in named.items() if step > self._last.get(key, -1)]
        self._client.log_batch(self._id, metrics=new)

    def add_picture(self, name: str, picture: Image) -> None:
        """Write a picture, over one of the same name."""
        self._client.log_image(self._id, picture, name)

    def end(self, status: str, files: Iterator[Path]) -> None:
        """Copy files, and write how the run ended."""
        for file in files:
            self._client.log_artifact(self._id, str(file))
        self._client.set_terminated(self._id, status)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        yield from _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]


def _name(text: str) -> str:
    """A name that MLflow takes, with `_` for other characters."""
    return re.sub(r"[^\w./ -]", "_", text)
