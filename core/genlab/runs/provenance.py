"""Provenance of a run for reproducibility: versions, machine and data, and detection of changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any
from uuid import uuid4

import torch

from genlab.assemble import source_digest
from genlab.assemble.experiment import Built
from genlab.assemble.facts import facts
from genlab.assemble.open_data import OpenData
from genlab.assemble.read import CheckedRecipe
from genlab.assemble.recipe import Recipe
from genlab.assemble.role_tables import aligned
from genlab.config.changed_values import ChangedValue, changed_values
from genlab.config.document import Document
from genlab.data.prepared import PreparedPairs
from genlab.data.sides import OneHotLabels, TensorSpec
from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.engine.runtime import device_name
from genlab.interfaces.dataset import ImageSide, Palette, SideName
from genlab.runs.image_warnings import is_colored
from genlab.runs.loaded_content import LoadedContent, find_loaded, parts_of
from genlab.runs.manifest import DataChange, DataRecord, Manifest, RecipeChange, SideRecord, StoredPairs
from genlab.util import environment

_log = logging.getLogger("genlab")


def first_manifest(built: Built, loaded: Sequence[LoadedContent], recipe_name: str, document: Document) -> Manifest:
    """The manifest of a run that is about to start."""
    now, settings = datetime.now(UTC), built.recipe.settings
    condition, target = side_records(built.experiment.training)
    return Manifest(
        id=uuid4().hex,
        title=built.recipe.title,
        steps=settings.train.steps,
        created=now,
        updated=now,
        command=environment.command(),
        versions=library_versions(),
        machine=environment.machine(device_name(built.experiment.device, settings.train.threads)),
        git=environment.git_state(),
        plugins=plugin_versions(built.recipe),
        code=code_digests(built.recipe),
        channels=built.experiment.training.channels,
        classes=target_classes(built.experiment.training),
        condition=condition,
        target=target,
        data=data_record(built, loaded),
        recipe=built.recipe.tables(),
        higher_is_better=_directions(built.recipe),
        facts=facts(built, recipe_name, document),
        starts=dict(built.starts),
    )


def taken_back(manifest: Manifest, step: int) -> Manifest:
    """The manifest of a run that goes on from an earlier step than it has been at, as later checkpoints are damaged.

    Changes that were made later hold from that step on.
    """
    of_recipe = [change.model_copy(update={"step": min(change.step, step)}) for change in manifest.recipe_changes]
    of_data = [change.model_copy(update={"step": min(change.step, step)}) for change in manifest.data.changes]
    if (of_recipe, of_data) != (manifest.recipe_changes, manifest.data.changes):
        _log.warning("What was changed later holds from step %s on, from where the run is trained again.", f"{step:,}")
    data = manifest.data.model_copy(update={"changes": of_data})
    return manifest.model_copy(update={"recipe_changes": of_recipe, "data": data})


def at_resume(
    manifest: Manifest, built: Built, loaded: Sequence[LoadedContent], checkpoint: IntactCheckpoint | None
) -> dict[str, Any]:
    """Entries of the manifest of a run that is resumed, whatever its recipe.

    Args:
        manifest: the run's until now.
        built: what is trained from here on.
        loaded: what components load.
        checkpoint: where it goes on; None for its start.
    """
    step = checkpoint.progress.step if checkpoint else 0
    is_measured_later = manifest.metrics_step is not None and manifest.metrics_step > step
    return {
        "status": "running",
        "signal": None,
        "failure": None,
        "ended_early": None,
        "best": checkpoint.progress.best if checkpoint else None,
        "metrics_step": None if is_measured_later else manifest.metrics_step,
        "data": _data_record_after(manifest, built, loaded, step),
    }


def after_changes(manifest: Manifest, before: CheckedRecipe, built: Built, step: int) -> dict[str, Any]:
    """Entries of the manifest of a run whose recipe is changed at a step.

    Args:
        manifest: the run's until now.
        before: the recipe until now.
        built: what is trained from here on.
        step: how many steps are done.
    """
    now = datetime.now(UTC)
    found = changed_values(*aligned(before.recipe.tables(), built.recipe.tables()))
    changes = [*manifest.recipe_changes, *(RecipeChange(step=step, time=now, **change._asdict()) for change in found)]
    first = {name: manifest.facts[name] for name in ("recipe", "set") if name in manifest.facts}
    if changes:
        first["changed"] = "; ".join(f"{ChangedValue(c.key, c.old, c.new)} (step {c.step:,})" for c in changes)
    return {
        "steps": built.recipe.settings.train.steps,
        "recipe_changes": changes,
        "higher_is_better": _directions(built.recipe),
        "facts": first | facts(built, manifest.facts.get("recipe", ""), before.document),
    }


def _directions(recipe: Recipe) -> dict[str, bool]:
    return {name: score.higher_is_better for name, score in recipe.scores.items()}


def target_classes(pairs: PreparedPairs) -> Palette | None:
    """The colors of the classes that networks are to predict; None for images."""
    target = pairs.sides.target
    return target.palette if isinstance(target, OneHotLabels) else None


def side_records(pairs: PreparedPairs) -> tuple[SideRecord, SideRecord]:
    """Condition and target as they are stored, their type as the first pair has it."""
    condition, target = map(_record, pairs.names, pairs.sides, pairs.dtypes)
    return condition, target


def _record(name: SideName, side: TensorSpec, dtype: str) -> SideRecord:
    if isinstance(side, ImageSide):
        return SideRecord(name=name, channels=side.channels, dtype=dtype, range=side.range)
    return SideRecord(name=name, channels=3, dtype=dtype, classes=side.palette, ignore=side.ignore)


def library_versions() -> dict[str, str]:
    """Versions of the libraries that can affect results: those that compute, decode and measure."""
    packages = ("genlab", "torch", "numpy", "pillow", "datasets", "safetensors")
    found = {name: metadata.version(name) for name in packages}
    for extra in ("tifffile", "imagecodecs"):
        with suppress(metadata.PackageNotFoundError):
            found[extra] = metadata.version(extra)
    return {**environment.versions(found), **({"cuda": torch.version.cuda} if torch.version.cuda else {})}


def plugin_versions(recipe: Recipe) -> dict[str, str]:
    """Versions of the packages whose components a recipe uses."""
    return {part.plugin.package: part.plugin.version for part in recipe.components()}


def code_digests(recipe: Recipe) -> dict[str, str]:
    """Digests of the Python files of the core and of plugins that results depend on, by package.

    Listeners are excluded, as they do not affect results.
    """
    return source_digest.digests(component.cls.__module__ for component in replace(recipe, listeners={}).components())


def data_record(built: Built, loaded: Sequence[LoadedContent]) -> DataRecord:
    """Data of a run, with hashes of their content and of what components load."""
    data, training, validation = built.data, built.experiment.training, built.experiment.validation
    condition, target = (stored_images(training, validation, name) for name in training.names)
    return DataRecord(
        source=data.config.component.registration.name,
        reason=data.reason,
        training=data.training.description,
        validation=data.validation.description,
        fingerprints=fingerprints(data, loaded),
        left_out={kind: len(names) for kind, names in data.left_out.items()},
        stored=condition,
        stored_target=target,
    )


def stored_images(training: PreparedPairs, validation: PreparedPairs, side: SideName) -> StoredPairs:
    """Sizes of a side's images of both splits as they are stored, and whether they have colors."""
    sizes = {size for prepared in (training, validation) for size in prepared.pairs.sizes(side)}
    return StoredPairs.of(sizes, colored=is_colored(training.pairs.read_side(0, side).image))


def _data_record_after(manifest: Manifest, built: Built, loaded: Sequence[LoadedContent], step: int) -> DataRecord:
    """Data of a run that is resumed at a step; what they were before is kept if their content changed."""
    before, now = manifest.data, data_record(built, loaded)
    if now.source == before.source:
        now = now.model_copy(update={"reason": before.reason})  # the choice was made when the run began
    # Runs from before did not record what components load.
    if before.fingerprints.items() <= now.fingerprints.items():
        return now.model_copy(update={"changes": before.changes})
    change = DataChange(step=step, time=datetime.now(UTC), fingerprints=before.fingerprints)
    return now.model_copy(update={"changes": [*before.changes, change]})


def fingerprints(data: OpenData, loaded: Iterable[LoadedContent]) -> dict[str, str]:
    """Content hashes of what a run reads: pairs by split, and what components load by their keys."""
    return data.fingerprints | {item.key: item.fingerprint for item in loaded}


def loaded_by(built: Built) -> list[LoadedContent]:
    """Read all that the components of a run load; listeners are excluded, and the dataset."""
    experiment = built.experiment
    return find_loaded(parts_of(built.recipe, experiment.method, experiment.metrics))


def changed_data(manifest: Manifest, built: Built, loaded: Iterable[LoadedContent]) -> dict[str, str]:
    """Descriptions of changed data of the run, and of what its components load, by name."""
    now = fingerprints(built.data, loaded)
    words = {
        "train": f"the training pairs ({built.data.training.description})",
        "validation": f"the validation pairs ({built.data.validation.description})",
        **{item.key: item.description for item in loaded},
    }
    changed = [name for name, known in manifest.data.fingerprints.items() if now.get(name) != known]
    sides = zip(("condition", "target"), side_records(built.experiment.training), strict=True)
    return {
        name: words.get(name, name)
        for name in changed
        # A component that fingerprints what is at its path says it once.
        if not any(name.startswith(f"{other}.") for other in changed)
    } | {
        name: f"the {name}, which is read otherwise"
        for name, side in sides
        if getattr(manifest, name) not in (None, side)
    }


def changed_versions(manifest: Manifest, built: Built) -> list[str]:
    """Versions that changed since the run started: `torch 2.11.0, now 2.13.0`."""
    before, now = manifest.versions | manifest.plugins, library_versions() | plugin_versions(built.recipe)
    changed = [f"{name} {before[name]}, now {now[name]}" for name in now if before.get(name, now[name]) != now[name]]
    found = code_digests(built.recipe)
    return changed + [f"other code of {name}" for name in found if manifest.code.get(name, found[name]) != found[name]]
