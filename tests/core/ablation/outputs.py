"""What an ablation's folder holds."""

from __future__ import annotations

import json
from pathlib import Path


def figures(folder: Path) -> object:
    report = json.loads((folder / "report.json").read_text())
    return report["metrics"]


def cells(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "cells")) for path in folder.glob("cells/*/seed-*"))


def weights(folder: Path) -> dict[str, bytes]:
    return {
        f"{cell}/{path.name}": path.read_bytes()
        for cell in cells(folder)
        for path in (folder / "cells" / cell).glob("checkpoints/*/*.safetensors")
    }
