"""What an ablation's folder holds."""

from __future__ import annotations

import json
from pathlib import Path


def figures(folder: Path) -> object:
    report = json.loads((folder / "report.json").read_text())
    return report["metrics"]


def trials(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "trials")) for path in folder.glob("trials/*/seed-*"))


def weights(folder: Path) -> dict[str, bytes]:
    return {
        f"{trial}/{path.name}": path.read_bytes()
        for trial in trials(folder)
        for path in (folder / "trials" / trial).glob("checkpoints/*/*.safetensors")
    }
