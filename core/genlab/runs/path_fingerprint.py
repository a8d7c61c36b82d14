"""Fingerprint of what is at a path that a component reads: a file, a run, or another folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from genlab.engine.checkpoint_state import IntactCheckpoint
from genlab.errors import DataError
from genlab.interfaces.dataset import Palette
from genlab.runs.checkpoint_choice import trained_checkpoint
from genlab.runs.folder import RunFolder
from genlab.util.files import content_hash, file_digest, file_digests, folder_digests

MISSING = "missing"
"""The fingerprint of a path at which there is nothing."""


def path_fingerprint(path: Path) -> str:
    """Hash of what is at a path: of a file's content, of a run's trained networks, or of a folder's files.

    Raises:
        DataError: it cannot be read.
        RunError: it is a run that has no trained networks, or whose checkpoints are damaged.
    """
    folder = RunFolder(path)
    try:
        if folder.manifest_path.is_file() and folder.recipe_path.is_file():
            manifest = folder.stored()
            return run_fingerprint(folder, trained_checkpoint(folder, manifest.id), manifest.classes)
        if path.is_dir():
            return content_hash(folder_digests(path))
        return file_digest(path) if path.exists() else MISSING
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def run_fingerprint(folder: RunFolder, checkpoint: IntactCheckpoint, classes: Palette | None) -> str:
    """Hash of what a run's predictions depend on: recipe, plugins given as files, and trained weights.

    Args:
        folder: the run's.
        checkpoint: the one that predicts.
        classes: the colors of the classes that it predicts.
    """
    files = file_digests([folder.recipe_path, *folder.plugin_files])
    content = content_hash({**files, **checkpoint.digests})
    return hashlib.sha256(f"{content} {classes}".encode()).hexdigest()
