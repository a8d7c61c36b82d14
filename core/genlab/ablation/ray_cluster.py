"""Ablations on a Ray cluster: a task per trial, which Ray schedules and retries. Importing this imports no torch."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import override

from genlab.ablation.engine import Engine
from genlab.ablation.jobs import Job
from genlab.ablation.work import AblationWorker
from genlab.errors import GenlabError, RunError
from genlab.registry.discovery.trust import trusted_environment
from genlab.util.extras import install_extra

_RETRIES = 10
_PASSED_ON = ("GENLAB_", "HF_", "OMP_")
"""How variables begin that reach the tasks."""


class RayCluster(Engine):
    """A task for each trial.

    Args:
        cpus: CPUs of each task.
        gpus: GPUs of each task.
        address: of the cluster; otherwise that of RAY_ADDRESS, or of the cluster that this machine is a node of.
    """

    def __init__(self, cpus: int, gpus: int = 0, address: str | None = None) -> None:
        try:
            self._ray: Any = import_module("ray")
        except ImportError as error:
            hint = f"Install it: {install_extra('ray')}. Or train here: gen ablate RECIPE --jobs N"
            raise GenlabError("Ray is not installed", where="--submit ray", hint=hint) from error
        self._cpus, self._gpus, self._address = cpus, gpus, address or os.environ.get("RAY_ADDRESS") or "auto"
        self._ablation = ""
        self._known: set[str] = set()
        self._waiting: list[str] = []
        self._running: list[Any] = []
        self._most: int | None = None

    @property
    @override
    def stop_words(self) -> str:
        return "Stopping: Ray ends its tasks, and trials are saved. The same command goes on."

    @override
    def submit(self, ablation: Path, jobs: Sequence[Job], most: int | None) -> None:
        variables = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
        try:
            _require_answer(self._address)
            self._ray.init(
                self._address,
                runtime_env={"env_vars": variables | trusted_environment()},
                log_to_driver=False,
                logging_level="error",
            )
        except (OSError, OverflowError, ValueError, RuntimeError) as error:
            what = f"no Ray cluster is reached at {self._address}: {error}"
            hint = "Start one: ray start --head; elsewhere: ray start --address HOST:6379. Then: --address HOST:6379."
            raise GenlabError(what, where="--submit ray", hint=hint) from error
        self._ablation, self._most = str(ablation), most
        self.add(jobs)

    @override
    def add(self, jobs: Sequence[Job]) -> None:
        new = [job.trial for job in jobs if job.trial not in self._known]
        self._known |= set(new)
        self._waiting += new
        self._fill()

    def _fill(self) -> None:
        train = self._ray.remote(num_cpus=self._cpus, num_gpus=self._gpus, max_retries=_RETRIES)(train_one)
        while self._waiting and (self._most is None or len(self._running) < self._most):
            self._running.append(train.remote(self._ablation, self._waiting.pop(0)))

    @override
    def is_working(self) -> bool:
        try:
            ended, self._running = (
                self._ray.wait(self._running, num_returns=1, timeout=0) if self._running else ([], [])
            )
            for refused in filter(None, self._ray.get(ended)):
                raise RunError(**refused)
            self._fill()
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            hint = "Nothing is lost: the same command goes on."
            raise RunError(f"Ray gave up a task: {error}", where="--submit ray", hint=hint) from error
        return bool(self._running)

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()


def _require_answer(address: str) -> None:
    """Raise an `OSError` if nothing answers at an address `HOST:PORT`, which Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def train_one(ablation: str, trial: str) -> dict[str, str | None] | None:
    """Work on one trial, in a task: why this machine cannot, or None."""
    try:
        AblationWorker(ablation, trial=trial).train(lambda _event: None)
    except GenlabError as error:
        return {"what": error.what, "where": error.where, "hint": error.hint}
    return None
