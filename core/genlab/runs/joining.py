"""Training of a run by several processes: the first one has the run's folder, and the others join in."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from genlab.assemble.experiment import Built, build
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.loop import train_loop
from genlab.engine.processes import Processes
from genlab.engine.runtime import choose_device, memory_errors
from genlab.errors import RunError
from genlab.interfaces.listener import Ended, Started
from genlab.registry.discovery.trust import trusting
from genlab.runs import provenance
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest, ProcessesRecord
from genlab.runs.reading import read_run

_log = logging.getLogger("genlab")


class Task(NamedTuple):
    """Message of the first process to the others.

    Args:
        folder: the run's.
        is_over: whether it has finished, so that there is nothing to do.
        checkpoint: where the training begins; None for its start.
        stop_at: pause after so many steps.
    """

    folder: Path
    is_over: bool = False
    checkpoint: IntactCheckpoint | None = None
    stop_at: int | None = None


def hand_over(task: Task, built: Built) -> None:
    """Have the other processes join in a training that this one is about to begin."""
    processes = built.experiment.processes
    if not processes.is_alone:
        # Other hosts may be in other folders.
        processes.of_first(task._replace(folder=task.folder.absolute()), preparing=True)
        _connect(built)


def dismiss(folder: RunFolder, processes: Processes) -> None:
    """Tell the other processes that the run has finished."""
    processes.of_first(Task(folder.path.absolute(), is_over=True), preparing=True)


def join(processes: Processes) -> RunFolder:
    """Train along in the run that the first process begins or resumes.

    Raises:
        RunError: its folder is not there, or it has code that is not trusted.
        GenlabError: code, data or libraries differ from those of the first process.
        KeyboardInterrupt: a signal stopped the training, of this process or of another one.
    """
    task = processes.of_first(Task(Path()), preparing=True)
    folder = _shared_folder(task.folder)
    if not task.is_over and _train_along(folder, task, processes).status == "interrupted":
        raise KeyboardInterrupt
    return folder


def _shared_folder(path: Path) -> RunFolder:
    try:
        return RunFolder.existing(path)
    except RunError as error:
        hint = "All machines need the run's folder: choose one on a file system that they share."
        raise RunError(f"{error.what} on {socket.gethostname()}", where=error.where, hint=hint) from error


def _train_along(folder: RunFolder, task: Task, processes: Processes) -> Ended:
    with memory_errors(), trusting(trust=True):  # the same command runs the files there
        checked = read_run(folder)
        processes.require_devices(choose_device(checked.recipe.settings.train.device))
        built = with_processes(build(checked.recipe, checked.document), processes)
        _connect(built)
        started = Started(
            folder=folder.path,
            title=built.recipe.title,
            recipe=built.recipe.toml(),
            facts={},
            step=task.checkpoint.progress.step if task.checkpoint else 0,
            steps=built.recipe.settings.train.steps,
            batch_size=built.recipe.settings.train.pairs_per_step,
        )
        experiment = replace(built.experiment, listeners=[], run_id=folder.stored().id)
        return train_loop(experiment, started, task.checkpoint, task.stop_at)


def with_processes(built: Built, processes: Processes) -> Built:
    """Assign an experiment to the processes that train it."""
    return built._replace(experiment=replace(built.experiment, processes=processes))


def _connect(built: Built) -> None:
    """Wait until all processes are ready, with the same code and data, and connect their devices."""
    processes = built.experiment.processes
    processes.require_equal(
        {
            **provenance.library_versions(),
            **provenance.plugin_versions(built.recipe),
            **{f"the code of {name}": digest for name, digest in provenance.code_digests(built.recipe).items()},
            **{f"the content of the {name} pairs": digest for name, digest in built.data.fingerprints.items()},
        }
    )
    processes.connect(built.experiment.device)


def processes_record(manifest: Manifest | None, step: int, processes: Processes) -> list[ProcessesRecord]:
    """The record of how many processes train a run, from a step on.

    Args:
        manifest: the run's until now; None for a new one.
        step: how many steps are done.
        processes: those that train it from here on.
    """
    before = [record for record in manifest.processes if record.step < step] if manifest else []
    if before and before[-1].count == processes.size:
        return before
    return [*before, ProcessesRecord(step=step, count=processes.size)]
