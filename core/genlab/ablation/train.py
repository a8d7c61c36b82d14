"""One trial, trained in this process."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial

from genlab.ablation.jobs import Job, JobEnded, JobLeft
from genlab.ablation.observations import Observations
from genlab.assemble.read import read_recipe
from genlab.engine.checkpoint import drop_training_state
from genlab.errors import GenlabError
from genlab.interfaces.listener import Listener
from genlab.registry.discovery.blame import blamed
from genlab.runs import training
from genlab.runs.folder import RunFolder

PATIENCE = 120.0
"""Seconds that a leftover worker may take to save its trial, or a file system to forget the lock of a lost one."""


def train_trial(job: Job, listeners: Sequence[tuple[str, Listener]] = ()) -> JobEnded | JobLeft:
    """Train a trial, or resume it.

    Args:
        job: the trial.
        listeners: listeners in addition to the recipe's.

    Returns:
        How it ended, or that another process does not let go of it. Defects of genlab itself are raised.
    """
    folder = RunFolder(job.target)
    try:
        if folder.path.exists() and folder.is_trained_for(PATIENCE):
            return JobLeft(job)
        _train(folder, job, [*listeners, ("observations", Observations())])
        manifest = folder.read()
        if manifest.status == "finished":
            drop_training_state(folder.checkpoints_path)
        return JobEnded(job, manifest.status, manifest.failure)
    except GenlabError as error:
        return JobEnded(job, "failed", str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if fault := blamed(error):
            return JobEnded(job, "failed", str(fault))
        raise


def _train(folder: RunFolder, job: Job, listeners: Sequence[tuple[str, Listener]]) -> None:
    if folder.path.exists():
        folder.refuse_links()
        if folder.last_checkpoint() is not None:
            training.resume_run(folder, listeners=listeners)
            return
        shutil.rmtree(folder.path)
    checked = read_recipe(job.recipe, plugins=job.plugins)
    make_folder = partial(RunFolder.create, folder.path)
    training.start_run(checked, make_folder, name=job.name, listeners=listeners)
