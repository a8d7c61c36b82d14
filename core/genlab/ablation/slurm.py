"""Ablations on a Slurm cluster: one array of workers, which Slurm schedules and requeues.

Importing this imports no torch. Whether an array is there, the queue itself says, by the array's name.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from typing_extensions import override

from genlab.ablation.engine import Engine
from genlab.ablation.jobs import Job
from genlab.errors import GenlabError, RunError
from genlab.registry.discovery.trust import trusted_environment
from genlab.util.files import storage_errors

_log = logging.getLogger("genlab")

_MOST_TASKS = 1000
"""Slurm's own default, `MaxArraySize`, is one more."""
_BETWEEN_QUESTIONS = 5.0
_PATIENCE = 120.0


class Slurm(Engine):
    """One array of `gen work`, submitted by `sbatch`.

    Args:
        cpus: CPUs of each task.
        gpus: GPUs of each task.
        partition: where to submit; otherwise Slurm's default.
        limit: time limit of a task as `sbatch --time` takes it; otherwise the partition's.
    """

    def __init__(self, cpus: int, gpus: int = 0, partition: str | None = None, limit: str | None = None) -> None:
        self._cpus, self._gpus, self._partition, self._limit = cpus, gpus, partition, limit
        self._name = ""
        self._asked = self._answered = 0.0
        self._is_working = True
        for command in ("sbatch", "squeue"):
            if not shutil.which(command):
                what = f"the command {command} is not on this machine"
                hint = "Log in where jobs are submitted to Slurm, or train here: gen ablate RECIPE --jobs N"
                raise GenlabError(what, where="--submit slurm", hint=hint)

    @property
    @override
    def stop_words(self) -> str:
        return (
            f"Detaching: the array goes on, and the same command shows it again. To end it: scancel --name {self._name}"
        )

    @override
    def submit(self, ablation: Path, jobs: Sequence[Job], most: int | None) -> None:
        self._name = f"genlab-{hashlib.sha256(os.fsencode(ablation)).hexdigest()[:12]}"
        if tasks := self._tasks():
            _log.info("Job %s works on it already: nothing is submitted.", tasks[0].partition("_")[0])
        elif jobs:
            number = self._submit(ablation, min(len(jobs), _MOST_TASKS), most)
            _log.info("Submitted job %s; its tasks write to %s.", number, ablation / "slurm")
        self._answered = time.monotonic()

    def _submit(self, ablation: Path, count: int, most: int | None) -> str:
        with storage_errors(ablation / "slurm"):
            (ablation / "slurm").mkdir(exist_ok=True)
        options = {
            "job-name": self._name,
            "array": f"0-{count - 1}" + (f"%{most}" if most else ""),
            "signal": "B:TERM@180",
            "open-mode": "append",
            "output": f"{str(ablation).replace('%', '%%')}/slurm/%A_%a.log",
            "cpus-per-task": str(self._cpus),
            "gpus-per-task": str(self._gpus) if self._gpus else None,
            "ntasks": "1",
            "partition": self._partition,
            "time": self._limit,
        }
        words = [f"--{name}={value}" for name, value in options.items() if value is not None]
        # With `exec`, the batch shell that Slurm signals (`B:`) is the worker.
        work = shlex.join([sys.executable, "-P", "-m", "genlab", "work", str(ablation)])
        return _call(["sbatch", "--parsable", "--requeue", "--export=ALL", *words], f"#!/bin/sh\nexec {work}\n").strip()

    @override
    def is_working(self) -> bool:
        now = time.monotonic()
        if now - self._asked >= _BETWEEN_QUESTIONS:
            self._asked = now
            try:
                self._is_working, self._answered = bool(self._tasks()), now
            except RunError:
                if now - self._answered > _PATIENCE:
                    raise
        return self._is_working

    def _tasks(self) -> list[str]:
        """The array's tasks that wait or run."""
        return _call(["squeue", "--me", "--noheader", "--format=%i", f"--name={self._name}"]).split()


def _call(command: Sequence[str], text: str = "") -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, env={**os.environ, **trusted_environment()}
    )
    if done.returncode:
        hint = "Nothing is lost: the same command goes on once Slurm takes it."
        raise RunError(f"{command[0]} failed: {done.stderr.strip()}", where="--submit slurm", hint=hint)
    return done.stdout
