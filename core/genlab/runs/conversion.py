"""Runs that were converted from weights of another program, which have no training and no data of their own."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from uuid import uuid4

from genlab.assemble.recipe import Recipe
from genlab.engine.checkpoint import save
from genlab.engine.checkpoint_state import TrainProgress
from genlab.engine.train_state import TrainState
from genlab.errors import DataUnavailableError, RunError
from genlab.interfaces.method import Method
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import ConversionRecord, DataRecord, Manifest, SideRecord
from genlab.runs.provenance import code_digests, library_versions, plugin_versions
from genlab.util import environment

_NO_DATA = "none, as the weights were trained by another program"


def write_converted(
    folder: RunFolder, recipe: Recipe, method: Method, channels: tuple[int, int], conversion: ConversionRecord
) -> None:
    """Write a run that has finished before its first step; nothing is left of it if that fails.

    Args:
        folder: a new one.
        recipe: with what the weights mean, and how they predict.
        method: with networks that have the weights.
        channels: of condition and target.
        conversion: where they are from.

    Raises:
        StorageError: the disk is full.
    """
    manifest = _manifest(recipe, channels, conversion)
    with folder.locked():
        folder.begin(manifest, [], recipe.toml())
        try:
            save(folder.checkpoints_path, TrainProgress(run=manifest.id), TrainState(method, {}), keep=1)
            folder.update(status="finished")
        except BaseException:
            folder.remove()
            raise


def _manifest(recipe: Recipe, channels: tuple[int, int], conversion: ConversionRecord) -> Manifest:
    now = datetime.now(UTC)
    names = ("a", "b") if recipe.settings.input.direction == "a_to_b" else ("b", "a")
    condition, target = (
        SideRecord(name=name, channels=count, dtype="uint8") for name, count in zip(names, channels, strict=True)
    )
    return Manifest(
        id=uuid4().hex,
        title=recipe.title,
        steps=0,
        created=now,
        updated=now,
        command=environment.command(),
        versions=library_versions(),
        machine=environment.machine("cpu"),
        git=environment.git_state(),
        plugins=plugin_versions(recipe),
        code=code_digests(recipe),
        channels=channels,
        condition=condition,
        target=target,
        data=DataRecord(
            source=recipe.data.component.registration.name,
            reason=None,
            training=_NO_DATA,
            validation=_NO_DATA,
            fingerprints={},
        ),
        recipe=recipe.tables(),
        facts={"converted from": f"{conversion.file}, {conversion.layout}"},
        conversion=conversion,
    )


def untrained_error(conversion: ConversionRecord, folder: RunFolder) -> RunError:
    """Error of a resume, with how to train on with the weights."""
    what = f"the run was converted from {conversion.file}, so it has no training to resume"
    start = f"gen run RECIPE --set {shlex.quote(f'init.generator.from={folder.path}')}"
    hint = f"Start a training with its weights, with the same generator in the recipe: {start}"
    return RunError(what, where=str(folder.path), hint=hint)


def unavailable_error(manifest: Manifest, error: DataUnavailableError) -> DataUnavailableError:
    """The error of a run's data that are not there; of a converted run, with how to name some."""
    if not manifest.conversion:
        return error
    what = f"the run was converted from {manifest.conversion.file}, and has no data: {error.what}"
    hint = "Name pairs where it is converted: gen convert FILE --set data.root=FOLDER"
    return DataUnavailableError(what, where=error.where, hint=hint)
