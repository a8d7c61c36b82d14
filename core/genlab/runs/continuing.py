"""A run that its own command goes on with, as launchers and job schedulers start commands again."""

from __future__ import annotations

import hashlib
import os

from pydantic_core import to_json

from genlab.assemble.read import CheckedRecipe
from genlab.errors import RunError
from genlab.runs.folder import RunFolder
from genlab.util.environment import find_launch

_LAUNCHERS = ("TORCHELASTIC_RUN_ID", "SLURM_JOB_ID")


def begun_before(folder: RunFolder, checked: CheckedRecipe) -> bool:
    """True if the command began this run before, and a launcher starts it again.

    Raises:
        RunError: the run is of another recipe.
    """
    launch = find_launch()
    is_launched = (launch is not None and launch.size > 1) or any(os.environ.get(name) for name in _LAUNCHERS)
    if not is_launched or not (folder.manifest_path.is_file() and folder.recipe_path.is_file()):
        return False
    if folder.stored().asked != recipe_digest(checked):
        what = "this folder has a run of another recipe, or with other values of --set"
        raise RunError(
            what, where=str(folder.path), hint="Choose another --out, or give the recipe that it began with."
        )
    return True


def recipe_digest(checked: CheckedRecipe) -> str:
    """SHA-256 of a recipe as it was asked for, before it is settled for a machine."""
    return hashlib.sha256(to_json(checked.recipe.tables(), inf_nan_mode="constants")).hexdigest()
