"""Refusal of places for output where something is in the way, before the work that would be lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genlab.errors import StorageError
from genlab.util.files import storage_errors

TO_OVERWRITE = "Choose another place; or replace what is there: --overwrite, in Python overwrite=True."
"""Advice where something exists already and may be replaced."""

_OF_RUNS = ("run.json", "recipe.toml", "metrics.jsonl")
"""Files that a run's folder has, which nothing else replaces."""


def refuse_overwrite(folder: Path, files: Iterable[Path], *, overwrite: bool) -> None:
    """Raise a `StorageError` if files to be written exist already.

    Args:
        folder: where they will be, which need not exist.
        files: their paths.
        overwrite: whether files may be replaced; a folder in the place of one never is.
    """
    with storage_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise StorageError("expected a folder to write to, and this is a file", where=str(folder))
        existing = [file for file in files if file.exists() or file.is_symlink()]
    if found := next((file for file in existing if file.is_dir()), None):
        raise StorageError("expected a file to write to, and this is a folder", where=str(found))
    if found := next(
        (file for file in existing if file.name in _OF_RUNS and (file.parent / _OF_RUNS[0]).exists()), None
    ):
        raise StorageError("this file belongs to a run", where=str(found), hint="Choose another place.")
    if existing and not overwrite:
        what = f"this file and {len(existing) - 1:,} more already exist" if existing[1:] else "the file already exists"
        raise StorageError(what, where=str(existing[0]), hint=TO_OVERWRITE)


def refuse_unwritable(file: Path, *, overwrite: bool) -> None:
    """Raise a `StorageError` if a file cannot be written as its folder is missing, or exists already.

    Args:
        file: its path.
        overwrite: whether it may be replaced.
    """
    refuse_overwrite(file.parent, [file], overwrite=overwrite)
    if not file.parent.is_dir():
        raise StorageError("the folder to write to is missing", where=str(file.parent), hint="Make it first.")
