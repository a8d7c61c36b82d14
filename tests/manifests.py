"""Manifests of runs, edited as their digest allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genlab.util.sealed import seal, unseal


def read_manifest(run: Path) -> dict[str, Any]:
    """The entries of a run's manifest."""
    return unseal((run / "run.json").read_bytes())


def edit_manifest(run: Path, **changes: object) -> None:
    """Change entries of a run's manifest as genlab does; None removes one."""
    removed = {name for name, value in changes.items() if value is None}
    entries = {name: value for name, value in {**read_manifest(run), **changes}.items() if name not in removed}
    (run / "run.json").write_text(seal(entries), encoding="utf-8")
