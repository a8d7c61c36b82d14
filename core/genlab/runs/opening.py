"""Opening of a run from its folder."""

from __future__ import annotations

from pathlib import Path

from genlab.runs.checkpoint_choice import CheckpointChoice
from genlab.runs.folder import RunFolder
from genlab.runs.kept_recipe import refuse_edited_recipe
from genlab.runs.run import Run
from genlab.util.arguments import as_path, checked_arguments


@checked_arguments
def open_run(
    path: str | Path, *, checkpoint: CheckpointChoice = "last", device: str = "auto", trust: bool = False
) -> Run:
    """Load a run: its recipe, its metrics, its networks.

    Plugins given as files came with the run, and what needs them raises a `RunError` if this user has not run them
    before: its recipe and its networks do, its manifest and its metrics do not.

    Args:
        path: the run's folder.
        checkpoint: `last`, `best` (by the recipe's `checkpoint.best`), or a number of steps.
        device: where to predict: auto, cpu, cuda or mps.
        trust: whether to run the plugins that came with the run, and to remember them as trusted.

    Raises:
        RunError: not a run, its recipe.toml was edited since it began, or there is no such checkpoint.
        DeviceError: the device asked for is not there.
    """
    folder = RunFolder.existing(as_path(path))
    refuse_edited_recipe(folder)
    return Run(folder, device, trust=trust, checkpoint=checkpoint)
