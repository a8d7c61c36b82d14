"""Weights that networks start with, read from other runs and from files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from textwrap import shorten

from safetensors import SafetensorError

from genlab.assemble.experiment import Built, build
from genlab.assemble.read import CheckedRecipe
from genlab.assemble.recipe import Recipe
from genlab.assemble.starting_weights import StoredWeights
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document
from genlab.config.init_table import Init
from genlab.config.validate import nearest
from genlab.engine.bounded_tensors import load_tensors
from genlab.engine.checkpoint_files import average_file, network_file, role_of
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.errors import Fault, RecipeError, RunError
from genlab.runs.checkpoint_choice import trained_checkpoint
from genlab.runs.folder import RunFolder
from genlab.runs.loaded_content import LoadedContent
from genlab.runs.manifest import Manifest
from genlab.util.files import file_digest

_log = logging.getLogger("genlab")

_CONVERT = (
    "It has to be a safetensors file. One of PyTorch is converted by"
    " safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW_FILE). Weights of"
    " pytorch-CycleGAN-and-pix2pix become a run, which can be named instead: gen convert FILE."
)


def read_starting_weights(recipe: Recipe, document: Document) -> dict[str, StoredWeights]:
    """Read the weights that a recipe's networks start with, by role; nothing that came with a run is executed.

    Raises:
        RecipeError: with all that cannot be read.
    """
    found: dict[str, StoredWeights] = {}
    faults: list[Fault] = []
    for role, init in recipe.init.items():
        try:
            if init.source is not None:
                found[role] = _read(init.source, init, role)
        except _UnusableError as error:
            faults.append(Fault(("init", role, error.key), error.what, error.hint))
    if faults:
        raise recipe_error(faults, document)
    return found


def build_with_weights(checked: CheckedRecipe) -> tuple[Built, list[LoadedContent]]:
    """Build a recipe to be trained from its start; returns also records of what its networks start with."""
    weights = read_starting_weights(checked.recipe, checked.document)
    return build(checked.recipe, checked.document, weights), contents_of(weights)


def contents_of(weights: Mapping[str, StoredWeights]) -> list[LoadedContent]:
    """Records of starting weights for a run's manifest."""
    return [LoadedContent(_key(role), it.fingerprint, f"{_key(role)} ({it.source})") for role, it in weights.items()]


def recorded_contents(manifest: Manifest) -> list[LoadedContent]:
    """Records of the weights that a run started with, from its manifest."""
    known = manifest.data.fingerprints
    return [LoadedContent(key, known[key], key) for key in map(_key, manifest.starts) if key in known]


def warn_of_changed_start(manifest: Manifest, checked: CheckedRecipe) -> None:
    """Warn if the weights that a run started with have another content now; they may also be gone."""
    for role, init in checked.recipe.init.items():
        with suppress(RecipeError):
            for now in contents_of(read_starting_weights(replace(checked.recipe, init={role: init}), checked.document)):
                if manifest.data.fingerprints.get(now.key) != now.fingerprint:
                    what = now.description
                    _log.warning("%s has changed since the run started, which keeps its own weights.", what)


def _key(role: str) -> str:
    return f"init.{role}.from"


class _UnusableError(Exception):
    """Weights that cannot be read: what is wrong, with the key that says so."""

    def __init__(self, what: str, hint: str | None = None, key: str = "from") -> None:
        super().__init__(what)
        self.what, self.hint, self.key = what, hint, key


def _read(path: Path, init: Init, role: str) -> StoredWeights:
    try:
        path.stat()
        is_folder = path.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise _UnusableError(f"{path} cannot be read: {reason}") from error
    return _of_run(path, init, init.role or role) if is_folder else _of_file(path, init)


def _of_file(path: Path, init: Init) -> StoredWeights:
    for key in ("role", "weights", "checkpoint"):
        if getattr(init, key) != Init.model_fields[key].default:
            raise _UnusableError(f"`{key}` is of a run, and {path} is a file, which has one network", key=key)
    try:
        return StoredWeights(str(path), load_tensors(path), file_digest(path))
    except (OSError, ValueError, SafetensorError) as error:
        raise _UnusableError(f"{path} cannot be read: {_reason(error)}", _CONVERT) from error


def _of_run(path: Path, init: Init, role: str) -> StoredWeights:
    try:
        folder = RunFolder.existing(path)
    except RunError as error:
        raise _UnusableError(f"{path}: {error.what}", "Name the folder of a run, or a safetensors file.") from error
    try:
        checkpoint = trained_checkpoint(folder, folder.stored().id, init.checkpoint)
    except RunError as error:
        key = "from" if init.checkpoint == "last" else "checkpoint"
        raise _UnusableError(f"{error.where or path}: {error.what}", error.hint, key) from error
    file = _file_of(checkpoint, init, role)
    try:
        tensors = load_tensors(file)
    except (OSError, ValueError, SafetensorError) as error:
        if not checkpoint.path.exists():  # a training replaced it meanwhile
            return _of_run(path, init, role)
        raise _UnusableError(f"{file} cannot be read: {_reason(error)}") from error
    average = ", average of weights" if file == average_file(checkpoint.path, role) else ""
    source = f"{path}, step {checkpoint.progress.step:,}, {role}{average}"
    return StoredWeights(source, tensors, checkpoint.digests[file.name])


def _file_of(checkpoint: IntactCheckpoint, init: Init, role: str) -> Path:
    """The file of a checkpoint that has a role's weights."""
    roles = [found for name in checkpoint.digests if (found := role_of(name))]
    if role not in roles:
        what = f"{checkpoint.path} has no network `{role}`; it has {', '.join(roles)}"
        raise _UnusableError(what, nearest(role, roles), key="role" if init.role else "from")
    average = average_file(checkpoint.path, role)
    has_average = average.name in checkpoint.digests
    if init.weights == "ema" and not has_average:
        raise _UnusableError(f"{checkpoint.path} has no average of the weights of its {role}", key="weights")
    return average if has_average and init.weights != "plain" else network_file(checkpoint.path, role)


def _reason(error: Exception) -> str:
    return shorten(str(error), 300)
