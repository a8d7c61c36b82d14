"""Comparison of what a trial is on this machine with what it was planned to be on another one."""

from __future__ import annotations

import platform

from genlab.ablation.contents import TrialContents
from genlab.ablation.identity import differences
from genlab.ablation.jobs import Job
from genlab.assemble.read import read_recipe
from genlab.errors import GenlabError, RunError


class OtherMachineError(RunError):
    """A machine that cannot train what was planned: its code, its data or its device are other ones."""


def require_as_planned(job: Job, contents: TrialContents) -> None:
    """Raise an `OtherMachineError` if a job's recipe, data or code are not what they were planned to be.

    Args:
        job: the job.
        contents: what was read for earlier jobs.
    """
    here, planner = platform.node(), job.planner
    try:
        checked = read_recipe(job.recipe, plugins=job.plugins)
        _, found = contents.settled(checked.recipe, checked.document)
    except GenlabError as error:
        what = f"{here} cannot train what {planner} planned: {error.what}"
        raise OtherMachineError(what, where=error.where, hint=error.hint) from error
    if changed := differences(job.identity, found):
        names = " and ".join(changed)
        raise OtherMachineError(
            f"{names}: what is on {here} is not what was on {planner} when it planned {job.name}",
            where=str(job.ablation),
            hint=f"Bring {here} to the state of {planner}, or plan anew by the command on {planner}: gen ablate",
        )
