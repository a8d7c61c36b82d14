"""What an ablation's folder holds."""

from __future__ import annotations

import json
from pathlib import Path

from genlab.util.files import file_digest


def figures(folder: Path) -> object:
    report = json.loads((folder / "report.json").read_text())
    return report["metrics"]


def trials(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "trials")) for path in folder.glob("trials/*/seed-*"))


def weights(folder: Path) -> dict[str, str]:
    """Digests of all tensors' files, by their paths."""
    files = (folder / "trials").glob("*/seed-*/checkpoints/*/*.safetensors")
    return {str(path.relative_to(folder / "trials")): file_digest(path) for path in files}
