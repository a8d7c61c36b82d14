"""The verbs of the command line, as functions."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from genlab import outline as networks_outline, provenance, runs
from genlab.build.experiment import Built, build, build_method, build_networks, construct, pair_channels
from genlab.build.recipe import Recipe
from genlab.build.resolve import resolve
from genlab.components import Components
from genlab.engine.loop import train as run_loop
from genlab.engine.runtime import memory_errors
from genlab.errors import DataError, RunError, StorageError
from genlab.files import write_text
from genlab.interfaces.listener import Started
from genlab.plugins import find_plugins
from genlab.recipe.document import Document
from genlab.recipe.load import find, load
from genlab.run import Run
from genlab.runs import ManifestListener, RunFolder

_log = logging.getLogger("genlab")


class Checked(NamedTuple):
    """A recipe that holds, and the document it was read from."""

    recipe: Recipe
    document: Document


def check(recipe: str | Path, *, set: Iterable[str] = (), plugins: Iterable[str | Path] = ()) -> Checked:
    """Hold a recipe against the components there are, and construct all of it but the data.

    Networks are built as if pairs had three channels.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        set: `KEY=VALUE` texts, laid over the recipe.
        plugins: Python files with plugins.

    Raises:
        RecipeError: with all that is wrong.
        PluginError: a plugin's file cannot be loaded.
    """
    checked = read(recipe, set=set, plugins=plugins)
    parts = construct(checked.recipe, checked.document)
    networks = build_networks(checked.recipe, (3, 3), checked.document)
    build_method(checked.recipe, networks, parts.losses, checked.document)
    return checked


def read(recipe: str | Path, *, set: Iterable[str] = (), plugins: Iterable[str | Path] = ()) -> Checked:
    """A recipe, complete with all defaults; the same as `check`, but that nothing is constructed."""
    components = Components(find_plugins(Path(file) for file in plugins))
    document = load(recipe, set)
    return Checked(resolve(document, components), document)


def outline(
    recipe: str | Path, *, set: Iterable[str] = (), plugins: Iterable[str | Path] = ()
) -> list[networks_outline.Outline]:
    """A recipe's networks level by level, for the channels that its data have, or three where they can't be had."""
    checked = read(recipe, set=set, plugins=plugins)
    built = checked.recipe
    try:
        channels = pair_channels(built, checked.document)
    except DataError:
        channels = (3, 3)
    networks = build_networks(built, channels, checked.document)
    names = {role: spec.component.name for role, spec in built.networks.items()}
    return networks_outline.outline(networks, names, channels, built.settings.input.height_width)


def train(
    recipe: str | Path,
    *,
    set: Iterable[str] = (),
    stop_at: int | None = None,
    plugins: Iterable[str | Path] = (),
    out: str | Path | None = None,
) -> Run:
    """Train what a recipe says, in a new folder.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        set: `KEY=VALUE` texts, laid over the recipe, such as `train.steps=200`.
        stop_at: pause after so many steps, to be resumed.
        plugins: Python files with plugins; the run keeps copies.
        out: the run's own folder, which must not exist; otherwise one below `runs`.

    Raises:
        GenlabError: one of its kinds, for everything that a person can mend.
    """
    plugin_files = [Path(file) for file in plugins]
    path = find(recipe)
    checked = read(path, set=set, plugins=plugin_files)
    target = Path(out) if out is not None else runs.new_path(Path("runs"), path.stem)
    RunFolder.refuse_existing(target)
    with memory_errors():
        built = build(checked.recipe, checked.document)
    manifest = provenance.first_manifest(built, str(recipe))
    folder = RunFolder.create(target)
    with folder.locked():
        folder.keep_plugins(plugin_files)
        write_text(folder.recipe_path, built.recipe.toml())
        folder.write(manifest)
        _train(folder, built, stop_at)
    return open_run(folder.path)


def resume(run: str | Path, *, stop_at: int | None = None) -> Run:
    """Go on with a run from its last checkpoint, exactly as if it had not been stopped.

    Raises:
        RunError: it has finished, is being trained, has no checkpoint, or its data changed.
    """
    folder = RunFolder.existing(Path(run))
    with folder.locked():
        manifest = folder.read()
        done = _steps_done(folder)
        if manifest.status == "finished":
            raise RunError(f"the run has finished: all {manifest.steps} steps are done", where=str(folder.path))
        if stop_at is not None and stop_at <= done:
            raise RunError(f"--stop-at {stop_at} lies behind: {done} steps are done", where=str(folder.path))
        checked = read(folder.recipe_path, plugins=folder.plugin_files)
        with memory_errors():
            built = build(checked.recipe, checked.document)
        if changed := provenance.changed_data(manifest, built):
            raise RunError(
                f"the {' and '.join(changed)} pairs are not the ones that the run began with"
                f" ({built.data.training.description})",
                where=str(folder.path),
                hint="Bring the data back as they were, or start a new run.",
            )
        for change in provenance.changed_versions(manifest, built):
            _log.warning("The run began with %s: what follows may differ from an undisturbed run.", change)
        folder.update(status="running", signal=None, failure=None)
        _train(folder, built, stop_at)
    return open_run(folder.path)


def open_run(path: str | Path) -> Run:
    """A run from before: its recipe, its figures, its networks."""
    return Run(RunFolder.existing(Path(path)))


def _steps_done(folder: RunFolder) -> int:
    last = folder.last_checkpoint()
    if last is None:
        raise RunError(
            "the run was cut off before its first checkpoint, so there is nothing to go on from",
            where=str(folder.path),
            hint=f"Start it again: gen run {folder.recipe_path} --out OTHER_FOLDER",
        )
    return int(last.name)


def _train(folder: RunFolder, built: Built, stop_at: int | None) -> None:
    """The loop, with the manifest kept true before and after."""
    recipe = built.recipe
    last = folder.last_checkpoint()
    started = Started(
        folder=folder.path,
        title=recipe.title or folder.path.name,
        recipe=recipe.toml(),
        facts={**folder.read().facts, "run": str(folder.path)},
        step=int(last.name) if last else 0,
        steps=recipe.settings.train.steps,
        batch_size=recipe.settings.train.batch_size,
    )
    listeners = [("run.json", ManifestListener(folder)), *built.experiment.listeners]
    try:
        with memory_errors():
            ended = run_loop(replace(built.experiment, listeners=listeners), started, last, stop_at)
    except BaseException as error:
        is_interruption = isinstance(error, KeyboardInterrupt)
        # A disk that is full has a story already: the error that is on its way.
        with suppress(StorageError):
            if is_interruption:
                folder.update(status="interrupted")
            else:
                folder.update(status="failed", failure=str(error))
        raise
    folder.update(status=ended.status, step=ended.step, signal=ended.signal)
