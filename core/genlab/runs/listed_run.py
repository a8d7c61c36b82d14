"""One run of a list, by its manifest alone. Importing this imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from genlab.config.changed_values import dotted_values
from genlab.runs.annotation import RunAnnotation
from genlab.runs.folder import RunFolder
from genlab.runs.manifest import Manifest


@dataclass(frozen=True)
class ListedRun:
    """One run of a list.

    Args:
        name: its folder's path below the folder that was listed.
        path: its folder.
        manifest: its manifest.
        bytes: size on disk.
        ablation: folder of the ablation that it is a trial of.
        annotation: its note and tags.
    """

    name: str
    path: Path
    manifest: Manifest
    bytes: int
    ablation: Path | None
    annotation: RunAnnotation

    @property
    def updated(self) -> datetime:
        """Time of its last checkpoint, validation or end."""
        return self.manifest.updated

    @cached_property
    def values(self) -> dict[str, Any]:
        """Its last metrics by name, and the values of its recipe by dotted key."""
        return {**dict(dotted_values(self.manifest.recipe or {})), **self.manifest.metrics}

    def can_resume(self) -> bool:
        """True for a run that `gen resume` continues as it is: stopped, and with an optimizer's state or no step."""
        is_stopped = self.manifest.status not in ("running", "finished")
        folder = RunFolder(self.path)
        return is_stopped and (folder.can_continue() or folder.last_checkpoint() is None)

    def as_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        manifest = self.manifest
        return {
            "name": self.name,
            "path": str(self.path),
            "recipe": manifest.title,
            "status": manifest.status,
            "failure": manifest.failure,
            "step": manifest.step,
            "steps": manifest.steps,
            "metrics": manifest.metrics,
            "metrics_step": manifest.metrics_step,
            "bytes": self.bytes,
            "created": manifest.created.isoformat(timespec="seconds"),
            "updated": manifest.updated.isoformat(timespec="seconds"),
            "trial_of": self.ablation and str(self.ablation),
            "converted_from": manifest.conversion and manifest.conversion.file,
            **self.annotation.model_dump(),
        }
