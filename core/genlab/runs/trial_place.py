"""Runs that are trials of an ablation, by where they are. Importing this imports no torch.

The layout is that of `genlab.ablation.folder`.
"""

from __future__ import annotations

import os
from pathlib import Path


def ablation_of(run: Path) -> Path | None:
    """Folder of the ablation that a run is a trial of, in place or put aside; None for other runs."""
    place = Path(os.path.abspath(run))  # noqa: PTH100  (links stay: an ablation is where it is reached)
    for folder, above in ((place.parent.parent, "trials"), (place.parent, "aside")):
        if folder.name == above and is_ablation(folder.parent):
            return folder.parent
    return None


def has_claims(ablation: Path) -> bool:
    """True if somebody trains trials of an ablation, or was lost while it did and nobody has found out yet."""
    return any("@" not in path.name for path in (ablation / "claims").glob("*"))


def is_ablation(folder: Path) -> bool:
    """True for the folder of an ablation."""
    return (folder / "trials").is_dir() and (folder / "recipe.toml").is_file() and not (folder / "run.json").exists()
