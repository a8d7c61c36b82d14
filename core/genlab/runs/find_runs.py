"""Search for runs below a folder. Importing this imports no torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from genlab.errors import RunError


class FoundFolder(NamedTuple):
    """Folder that is a run by its files, or why one is none that can be used."""

    path: Path
    problem: str | None = None


def find_runs(folder: Path) -> list[FoundFolder]:
    """Find runs in a folder and below it, trials of ablations too, and folders that look like runs or hold none.

    Links are followed, but into no folder twice; hidden folders are left out.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        what = "this is a file" if folder.exists() else "there is no such folder"
        hint = "By default, runs are in the folder runs/, once a recipe was trained: gen run RECIPE"
        raise RunError(what, where=str(folder), hint=hint)
    errors: list[OSError] = []
    found = list(_walk(folder, errors))
    found += [FoundFolder(Path(os.fsdecode(it.filename)), f"it cannot be read: {it.strerror}") for it in errors]
    used = {place for it in found for place in (it.path, *it.path.parents)}
    if any(it.path == folder for it in found):
        return found
    others = [place for place in sorted(folder.iterdir()) if place.is_dir() and not place.name.startswith(".")]
    return [*found, *(FoundFolder(place, "no run is in it") for place in others if place not in used)]


def _walk(folder: Path, errors: list[OSError]) -> Iterator[FoundFolder]:
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        path, real = Path(place), os.path.realpath(place)
        if real in seen:
            folders.clear()
        elif "run.json" in files:
            folders.clear()
            yield FoundFolder(path)
        elif "recipe.toml" in files and "checkpoints" in folders:
            folders.clear()
            yield FoundFolder(path, "run.json is missing")
        elif "recipe.toml" in files and "trials" in folders:
            folders[:] = [name for name in folders if name in ("trials", "aside")]  # its other folders are no runs
        seen.add(real)
