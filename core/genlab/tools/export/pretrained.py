"""Trained networks from a folder for a model hub."""

from __future__ import annotations

import json
from pathlib import Path

from genlab.errors import RunError
from genlab.runs.opening import open_run
from genlab.runs.run import Run
from genlab.tools.export.description import LIBRARY
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.bounded import read_bounded

CONFIG = "config.json"


@checked_arguments
def from_pretrained(folder: str | Path, *, device: str = "auto", trust: bool = False) -> Run:
    """Open a folder that was exported for a hub: it predicts as its run does.

    It has the layout of a run, so that whatever reads a run reads it, but cannot be trained further.

    Args:
        folder: the folder, as from `huggingface_hub.snapshot_download`.
        device: where to predict: auto, cpu, cuda or mps.
        trust: whether to run the plugins that came with it, and to remember them as trusted.

    Raises:
        RunError: not such a folder, or a file of it is missing or damaged.
        DeviceError: the device asked for is not there.
    """
    path = as_path(folder)
    if not is_hub_folder(path):
        what = "not a folder that was exported for a hub" if path.is_dir() else "there is no such folder"
        hint = "From a hub, download the whole folder first. To export a run: gen export RUN --format hub --out FOLDER"
        raise RunError(what, where=str(path), hint=hint)
    return open_run(path, device=device, trust=trust)


def is_hub_folder(path: Path) -> bool:
    """True for a folder whose config.json says that genlab wrote it."""
    try:
        config = json.loads(read_bounded(path / CONFIG))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("library_name") == LIBRARY
