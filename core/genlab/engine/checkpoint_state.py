"""A checkpoint's `state.json`, and the digests in it that the checkpoint's other files are checked against.

Importing this imports no torch.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from genlab.engine.checkpoint_files import checkpoints, is_of_optimizer, state_file, step_of, tensor_files
from genlab.errors import RunError
from genlab.interfaces.listener import BestValidation, EarlyEnd
from genlab.util.bounded import read_bounded
from genlab.util.files import file_digests, write_text
from genlab.util.sealed import seal, unseal

_log = logging.getLogger("genlab")


class ListenerState(BaseModel):
    """State of a listener.

    Args:
        component: name of the listener's class.
        values: what its `state` gave.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_inf_nan="constants")

    component: str
    values: dict[str, JsonValue]


class TrainProgress(BaseModel):
    """Progress of a training at a checkpoint.

    Args:
        format: 2 for checkpoints from before there were digests.
        run: id of the run, as in its manifest.
        step: steps done.
        validated: whether the validation that is due at this step was made.
        previewed: whether the pictures that are due at this step were made.
        metrics: the last validation's.
        loss_scale: how objectives are scaled in float16.
        best: the best validation so far, if the recipe names a score.
        stop: the end that a listener or the method asked for.
        listeners: states of listeners, by label.
        parts: SHA-256 of every other file of the checkpoint, by its name.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format: Literal[2, 3] = 3
    run: str = ""
    step: Annotated[int, Field(ge=0)] = 0
    validated: bool = False
    previewed: bool = False
    metrics: dict[str, float] = Field(default_factory=dict[str, float])
    loss_scale: dict[str, float] = Field(default_factory=dict[str, float])
    best: BestValidation | None = None
    stop: EarlyEnd | None = None
    listeners: dict[str, ListenerState] = Field(default_factory=dict[str, ListenerState])
    parts: dict[str, str] = Field(default_factory=dict[str, str])

    def text(self) -> str:
        """Content of `state.json`."""
        return seal(self.model_dump(mode="json"))


class IntactCheckpoint(NamedTuple):
    """A checkpoint whose files were found to be as they were written.

    Args:
        path: its folder.
        progress: its `state.json`.
        digests: SHA-256 of the files that were checked, by name.
    """

    path: Path
    progress: TrainProgress
    digests: Mapping[str, str]


def newest_intact(folder: Path, run: str, *, optimizers: bool) -> IntactCheckpoint | None:
    """Open the newest checkpoint below `folder` that is intact; damaged newer ones cause a warning.

    Args:
        folder: the folder of a run's checkpoints.
        run: the run's id.
        optimizers: whether the optimizers' state is needed, too.

    Returns:
        None if there are no checkpoints.

    Raises:
        RunError: all of them are damaged.
    """
    damages: list[RunError] = []
    for path in reversed(checkpoints(folder)):
        try:
            found = open_checkpoint(path, run, optimizers=optimizers)
        except RunError as error:
            if not path.is_dir():  # a training removed it meanwhile
                return newest_intact(folder, run, optimizers=optimizers)
            damages.append(error)
        else:
            for damage in damages:
                _log.warning("%s: %s. The checkpoint of step %d is used.", damage.where, damage.what, step_of(path))
            return found
    if damages:
        raise damages[0]
    return None


def open_checkpoint(path: Path, run: str, *, optimizers: bool) -> IntactCheckpoint:
    """Check a checkpoint's files against the digests that were taken when they were written.

    Args:
        path: the checkpoint's folder.
        run: the run's id.
        optimizers: whether the optimizers' state is needed, too.

    Raises:
        RunError: a file is missing, damaged, or another run's or step's.
    """
    progress = read_progress(path)
    if progress.run and progress.run != run:
        raise damage_error(path, "the checkpoint is of another run than run.json, by its state.json")
    if progress.format == 2:
        _note_missing_digests(path)
    names = list(progress.parts) or [file.name for file in tensor_files(path)]
    needed = sorted(name for name in names if optimizers or not is_of_optimizer(name))
    if missing := [name for name in needed if not (path / name).is_file()]:
        raise damage_error(path, f"the checkpoint cannot be read: {missing[0]} is missing")
    try:
        digests = file_digests(path / name for name in needed)
    except OSError as error:
        raise damage_error(path, f"the checkpoint cannot be read: {error}") from error
    if changed := [name for name in needed if progress.parts.get(name, digests[name]) != digests[name]]:
        what = f"the checkpoint is damaged: {changed[0]} is not as the training wrote it, by its SHA-256"
        raise damage_error(path, what)
    return IntactCheckpoint(path, progress, digests)


def read_progress(checkpoint: Path) -> TrainProgress:
    """Read the progress of a training; `RunError` if it cannot be read."""
    try:
        # JSON mode, in which objects become dataclasses and nothing else is converted
        progress = TrainProgress.model_validate_json(json.dumps(unseal(read_bounded(state_file(checkpoint)))))
        if progress.step != step_of(checkpoint):
            raise ValueError(f"it is of step {progress.step}")
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (OSError, ValueError) as error:
        reason = str(error)
    else:
        return progress
    raise damage_error(checkpoint, f"the checkpoint cannot be read: state.json: {reason}")


def is_best(checkpoint: Path, progress: TrainProgress) -> bool:
    """True for the checkpoint of the best validation, by the progress of a training."""
    return progress.best is not None and step_of(checkpoint) == progress.best.step


def update_progress(checkpoint: Path, progress: TrainProgress) -> None:
    """Write the progress of a checkpoint anew; its other files stay, and so do their digests."""
    known = read_progress(checkpoint)
    kept = {"format": known.format, "run": known.run, "parts": known.parts}
    write_text(state_file(checkpoint), progress.model_copy(update=kept).text())


def damage_error(checkpoint: Path, what: str) -> RunError:
    """Error of a damaged checkpoint, with what to do."""
    hint = "Restore it from a copy of the run. If there is an earlier checkpoint, remove this one to use that."
    return RunError(what, where=str(checkpoint), hint=hint)


@cache
def _note_missing_digests(checkpoint: Path) -> None:
    """Log once that a checkpoint has no digests."""
    _log.warning("%s: this checkpoint was saved without digests, so damage to it cannot be noticed.", checkpoint)
