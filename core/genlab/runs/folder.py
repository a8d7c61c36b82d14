"""A run's folder: layout, creation and locking. Importing this imports no torch.

<run>/
  run.json          the manifest: status, versions, data, command
  plugins/          the files given with --plugin
  recipe.toml       the recipe as it was settled, every value included; written last, and with it the run has begun
  checkpoints/      see engine/checkpoint_files.py
  metrics.jsonl, previews/, tensorboard/     by the listeners
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fnmatch import fnmatch
from itertools import count
from pathlib import Path
from shlex import quote

from pydantic import ValidationError
from typing_extensions import override

from genlab.engine.checkpoint_files import checkpoints, is_of_optimizer, step_of, tensor_files
from genlab.errors import RunError, StorageError
from genlab.interfaces.listener import CheckpointSaved, Ended, Listener, Validated
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.runs.manifest import Manifest
from genlab.runs.trial_place import is_ablation
from genlab.util.bounded import read_bounded
from genlab.util.files import file_lock, remove_partial, storage_errors, write_text
from genlab.util.links import refuse_links
from genlab.util.sealed import seal, unseal

_LEFTOVERS = (".lock", ".run.json.*.partial", ".recipe.toml.*.partial")
"""Patterns of files that a start leaves when it is killed, and that nobody else makes."""


class RunFolder:
    """The folder of one run, new or existing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def manifest_path(self) -> Path:
        """Path of the manifest."""
        return self.path / "run.json"

    @property
    def recipe_path(self) -> Path:
        """Path of the resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def checkpoints_path(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"

    def last_checkpoint(self) -> Path | None:
        """The last complete checkpoint; its name is its step."""
        return next(reversed(checkpoints(self.checkpoints_path)), None)

    def set_aside_later(self, checkpoint: Path) -> None:
        """Rename checkpoints of later steps, which are damaged, so that a training can go past them."""
        for later in checkpoints(self.checkpoints_path):
            if step_of(later) > step_of(checkpoint):
                aside = later.with_name(f"{later.name}.damaged")
                with storage_errors(aside):
                    shutil.rmtree(aside, ignore_errors=True)
                    later.rename(aside)

    @property
    def plugins_path(self) -> Path:
        """Folder of the copies of plugins given as files."""
        return self.path / "plugins"

    @property
    def plugin_files(self) -> list[Path]:
        """Copies of the plugins given as files."""
        return sorted(self.plugins_path.glob("*.py"))

    def is_vacant(self) -> bool:
        """True if a run can begin here: nothing is in it but what a start that was killed left."""
        if self.path.is_symlink() or not self.path.is_dir():
            return not self.path.is_symlink() and not self.path.exists()
        names = {path.name for path in self.path.iterdir()}
        found = {name for name in names if not any(fnmatch(name, pattern) for pattern in _LEFTOVERS)}
        return not found or (found <= {"run.json", "plugins"} and ".lock" in names and self._has_begun_manifest())

    def _has_begun_manifest(self) -> bool:
        """True if run.json is of a run that was about to begin, and `plugins` holds nothing but its files."""
        try:
            manifest = self.stored()
        except RunError:
            return False
        kept = {path.name for path in self.plugins_path.glob("*")}
        return (manifest.status, manifest.step) == ("running", 0) and kept <= set(manifest.plugin_files or ())

    def can_continue(self) -> bool:
        """False for finished trials of an ablation, which keep no optimizer state."""
        last = self.last_checkpoint()
        return last is not None and any(is_of_optimizer(file.name) for file in tensor_files(last))

    def command_to_start_again(self, *options: str) -> str:
        """The command that trains the run's recipe in a new run."""
        plugins = [word for file in self.plugin_files for word in ("--plugin", str(file))]
        return shlex.join(["gen", "run", str(self.recipe_path), *plugins, *options])

    @staticmethod
    def refuse_occupied(path: Path) -> None:
        """Raise a `RunError` if a new run cannot begin at a path."""
        folder = RunFolder(path)
        with storage_errors(path):
            is_vacant = folder.is_vacant()
        if not is_vacant:
            is_run = folder.manifest_path.is_file() and folder.recipe_path.is_file()
            can_resume = is_run and folder.read().status != "finished"
            resume = f"gen resume {quote(str(path))}"
            raise RunError(
                "this folder already exists; a run needs a new one",
                where=str(path),
                hint=f"Choose another --out{f', or resume its run: {resume}' if can_resume else ''}.",
            )

    @classmethod
    def create(cls, path: Path) -> RunFolder:
        """Create the folder; `RunError` if something is there, `StorageError` if it cannot be created."""
        cls.refuse_occupied(path)
        with storage_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def create_below(cls, base: Path, name: str) -> RunFolder:
        """Create a new run's folder below `base`, named by recipe and time; safe with concurrent processes."""
        stem = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
        for number in count(1):
            path = base / (stem if number == 1 else f"{stem}-{number}")
            with storage_errors(path), suppress(FileExistsError):
                path.mkdir(parents=True)
                return cls(path)
        raise AssertionError("numbers do not end")

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """Open an existing run's folder; `RunError` if it is not one."""
        try:
            missing = [name for name in ("run.json", "recipe.toml") if not (path / name).is_file()]
            is_folder = path.is_dir()
            is_unbegun = bool(missing) and (path / ".lock").exists() and cls(path).is_vacant()
        except OSError as error:
            raise RunError(f"the folder cannot be read: {error.strerror}", where=str(path)) from error
        if is_unbegun:
            what = "its process was killed before the run began, so there is nothing to resume"
            raise RunError(what, where=str(path), hint=f"Start it again: gen run RECIPE --out {path}")
        if missing and is_ablation(path):
            hint = f"Its trials are runs: {path / 'trials' / 'ARM' / 'seed-N'}"
            raise RunError("not a run: it is the folder of an ablation", where=str(path), hint=hint)
        if missing:
            what = f"not a run: {missing[0]} is missing" if is_folder else "there is no such folder"
            raise RunError(what, where=str(path), hint="By default, runs are in the folder runs/.")
        return cls(path)

    def stored(self) -> Manifest:
        """Read the manifest as it was last written."""
        try:
            return Manifest.model_validate(unseal(read_bounded(self.manifest_path)))
        except ValidationError as error:
            first = error.errors()[0]
            raise self._unreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        except (OSError, ValueError) as error:
            raise self._unreadable(str(error)) from error

    def _unreadable(self, reason: str) -> RunError:
        hint = 'Restore it from a copy. If it was edited on purpose, remove its line "sha256" to accept the edit.'
        return RunError(f"run.json cannot be read: {reason}", where=str(self.path), hint=hint)

    def read(self) -> Manifest:
        """Read the manifest; a run marked as running that no process trains is reported as interrupted."""
        manifest = self.stored()
        if manifest.status == "running" and not self.is_trained_for(0.2):
            return manifest.model_copy(update={"status": "interrupted", "failure": "its process was killed"})
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Write the manifest."""
        write_text(self.manifest_path, seal(manifest.model_dump(mode="json")))

    def update(self, **changes: object) -> None:
        """Update entries of the manifest."""
        self.write(self.stored().model_copy(update={**changes, "updated": datetime.now(UTC)}))

    def begin(self, manifest: Manifest, plugins: Sequence[PluginFile], recipe: str) -> None:
        """Write what a run begins with, into a vacant folder; it is vacant again if that fails.

        Raises:
            RunError: another process trained here meanwhile.
            StorageError: the disk is full.
        """
        self.refuse_occupied(self.path)
        self.refuse_links()
        shutil.rmtree(self.plugins_path, ignore_errors=True)
        self.remove_partial()
        try:
            self.write(manifest.model_copy(update={"plugin_files": {file.path.name: file.digest for file in plugins}}))
            self._keep_plugins(plugins)
            write_text(self.recipe_path, recipe)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the folder of a run that could not begin."""
        shutil.rmtree(self.path, ignore_errors=True)

    def remove_partial(self) -> None:
        """Remove what killed processes left of the manifest and the recipe; the run is locked."""
        remove_partial(self.path, "run.json", "recipe.toml")

    def _keep_plugins(self, files: Iterable[PluginFile]) -> None:
        """Write copies of plugin files as they were run, so that the folder is self-contained."""
        for file in files:
            target = self.plugins_path / file.path.name
            with storage_errors(target):
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(file.code)

    def refuse_links(self) -> None:
        """Raise a `RunError` if something in the folder is a link, before anything is written or removed in it."""
        refuse_links(self.path, "run")

    @contextmanager
    def locked(self, patience: float = 1.0) -> Generator[None, None, None]:
        """Lock the run for training; `RunError` if another process still holds the lock after `patience` seconds.

        Readers of the status also take the lock, for less than a millisecond.
        """
        with file_lock(self._lock, "another process is training this run", patience):
            yield

    def is_trained_for(self, patience: float) -> bool:
        """True if another process still holds the lock after so many seconds."""
        if not self._lock.exists():
            return False
        try:
            with self.locked(patience):
                return False
        except RunError:
            return True
        except StorageError:  # a read-only folder, where no process can train
            return False


class ManifestListener(Listener):
    """Listener that keeps a run's manifest up to date, so that it is valid whenever its process ends."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._began = time.monotonic()
        self._before = folder.stored().seconds

    @override
    def checkpoint_saved(self, event: CheckpointSaved) -> None:
        self._folder.update(step=event.step, seconds=self._before + time.monotonic() - self._began)

    @override
    def validated(self, event: Validated) -> None:
        self._folder.update(metrics=dict(event.metrics), metrics_step=event.step, best=event.best)

    @override
    def ended(self, event: Ended) -> None:
        self._folder.update(seconds=self._before + event.seconds)
