"""Layout of an ablation's folder, and which existing trials are reused.

<ablation>/
  recipe.toml             the recipe, with its [ablation]
  trials/<arm>/seed-<n>/   a run each; TensorBoard shows them by these names
  aside/<key>/            runs of an earlier recipe, reused if it comes back
  planned/                what workers train; see planned_work.py
  claims/                 who trains what; see claim.py
  failed/                 why trials failed; see outcome.py
  workers.log             their standard error
  step_costs.json         what a step of each arm costs, where there is a budget
  report.md, report.html, report.json, report.svg
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from genlab.ablation.claim_watch import await_free
from genlab.ablation.identity import Identity, differences, identity_of, key
from genlab.errors import GenlabError, RunError
from genlab.runs.folder import RunFolder
from genlab.runs.kept_recipe import refuse_edited_recipe
from genlab.runs.manifest import Manifest
from genlab.util.files import file_lock, remove_partial, storage_errors
from genlab.util.links import refuse_links

_PATIENCE = 60.0


class AblationFolder:
    """The folder of one ablation, new or existing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def recipe_path(self) -> Path:
        """Path of the recipe with its `[ablation]`."""
        return self.path / "recipe.toml"

    @property
    def step_costs_path(self) -> Path:
        """Path of the record of what a step of each arm costs."""
        return self.path / "step_costs.json"

    @property
    def trials_path(self) -> Path:
        """Folder of the trials, by arm and seed."""
        return self.path / "trials"

    def refuse_earlier(self) -> None:
        """Raise a `RunError` if the ablation was made by an earlier genlab, which called its trials cells."""
        with storage_errors(self.path):
            is_earlier = (self.path / "cells").is_dir() and self.recipe_path.is_file() and not self.trials_path.is_dir()
        if is_earlier:
            what = "this ablation was made by an earlier genlab, whose results cannot be compared with new ones"
            raise RunError(what, where=str(self.path), hint="Choose another --out; this folder is left as it is.")

    def refuse_edited(self, arm: str, seed: int, wanted: Identity) -> None:
        """Raise a `RunError` if the recipe of a trial's run, in place or aside, was edited since it began."""
        for run in (self.trial(arm, seed), RunFolder(self.path / "aside" / key(wanted))):
            if run.manifest_path.is_file() and run.recipe_path.is_file():
                refuse_edited_recipe(run)

    @classmethod
    def at(cls, path: Path) -> AblationFolder:
        """Open or create an ablation's folder; `RunError` if the path is something else, or has links in it."""
        with storage_errors(path):
            is_ours = (path / "recipe.toml").is_file() and not (path / "run.json").exists()
            if path.exists() and not is_ours and (not path.is_dir() or not _is_leftover(path)):
                raise RunError(
                    "this folder already exists, and is not an ablation", where=str(path), hint="Choose another --out."
                )
            refuse_links(path, "ablation")
            path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @contextmanager
    def locked(self) -> Generator[None, None, None]:
        """Lock the ablation while it is planned or reported; `RunError` if another process does not end doing so."""
        with file_lock(self.path / ".lock", "another process is planning or reporting this ablation", _PATIENCE):
            yield

    def remove_partial(self) -> None:
        """Remove what killed processes left of recipes and reports; the ablation is locked."""
        remove_partial(self.path, "recipe.toml", "step_costs.json", "report.*")
        remove_partial(self.path / "planned", "*")

    def trial(self, arm: str, seed: int) -> RunFolder:
        """Folder of a trial's run, which may not exist yet."""
        return RunFolder(self.trials_path / arm / f"seed-{seed}")

    def changed_code(self, arm: str, seed: int, wanted: Identity) -> list[str]:
        """Packages whose code changed, if an existing trial differs from the wanted one in code alone."""
        found = _identity_in(self.trial(arm, seed))
        changed = differences(found, wanted) if found else []
        return changed if all(name.startswith("the code of") for name in changed) else []

    def bring(self, arm: str, seed: int, wanted: Identity) -> RunFolder:
        """Move a trial's run into place; a run of another identity there is put aside."""
        place = self.trial(arm, seed)
        found = _identity_in(place)
        if found is not None and key(found) != key(wanted):
            self._refuse_claimed(arm, seed)
            self._move(place.path, self.path / "aside" / key(found))
        kept = self.path / "aside" / key(wanted)
        if not place.path.exists() and kept.exists():
            self._move(kept, place.path)
        return place

    def finished(self, arm: str, seed: int, wanted: Identity) -> Manifest | None:
        """Manifest of a trial's finished run, in place or aside; None without one."""
        for run in (self.trial(arm, seed), RunFolder(self.path / "aside" / key(wanted))):
            found = _identity_in(run)
            if found is not None and key(found) == key(wanted) and (manifest := run.read()).status == "finished":
                return manifest
        return None

    def keep_only(self, trials: set[tuple[str, int]]) -> None:
        """Put aside runs of arms and seeds that the recipe no longer has."""
        wanted = {self.trial(arm, seed).path for arm, seed in trials}
        for place in self.trials_path.glob("*/seed-*"):
            found = _identity_in(RunFolder(place))
            if place not in wanted and found is not None:
                self._refuse_claimed(place.parent.name, place.name.removeprefix("seed-"))
                self._move(place, self.path / "aside" / key(found))
        for arm in self.trials_path.glob("*"):
            if arm.is_dir() and not any(arm.iterdir()):
                arm.rmdir()

    def _refuse_claimed(self, arm: str, seed: int | str) -> None:
        """Raise a `RunError` if somebody trains a trial that is to be put aside."""
        if await_free(self.path / "claims", f"{arm}.seed-{seed}"):
            what = f"{arm}, seed {seed} is being trained, by another recipe than this one"
            hint = "Wait for it, or stop whoever trains it; or choose another --out."
            raise RunError(what, where=str(self.path), hint=hint)

    def _move(self, source: Path, target: Path) -> None:
        with storage_errors(target):
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)


def _is_leftover(folder: Path) -> bool:
    """True if nothing is in a folder but what an ablation left that was only planned, or killed before its recipe."""
    leftovers = (".lock", "step_costs.json", ".step_costs.json.*.partial", ".recipe.toml.*.partial")
    return all(any(fnmatch(path.name, pattern) for pattern in leftovers) for path in folder.iterdir())


def _identity_in(folder: RunFolder) -> Identity | None:
    """The identity of the run in a folder, if one began there."""
    try:
        return identity_of(folder)
    except (GenlabError, OSError, ValueError, RecursionError):
        return None
