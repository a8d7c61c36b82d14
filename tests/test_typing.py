"""A strict type checker finds nothing wrong with a stranger's packages that is genlab's fault."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.fresh import APART

import genlab

if TYPE_CHECKING:
    from tests.fresh import Fresh

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(file.parent for file in ROOT.glob("examples/*/pyproject.toml") if file.parent.name not in APART)
KINDS = ["generator", "discriminator", "network", "loss", "dataset", "augmentation", "metric", "method"]
KINDS += ["optimizer", "schedule", "listener"]

# What is switched off for a package, as a library that it uses causes it.
UNTYPED: dict[str, dict[str, bool]] = {
    "genlab-monai": {"reportPrivateImportUsage": False},  # MONAI says it is typed, but exports no name as PEP 484 asks.
}

# A checker that knew no types of genlab would find none of these faults.
WRONG = """
import genlab
from torch import Tensor

class Wrong(genlab.Loss):
    def forward(self, condition: Tensor, target: Tensor, prediction: Tensor) -> float:  # wrong
        return 0.0

class Late(genlab.Objective):
    side = "both"  # wrong

def use(step: genlab.StepContext, registry: genlab.Registry) -> int:
    registry.generatr("late", Late)  # wrong
    genlab.train("unet_facades", steps=2)  # wrong
    return step.score(step.target)  # wrong
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Packages of all kinds, as `gen plugins new` makes them, the examples' sources, and two modules."""
    for kind in KINDS:
        genlab.create_plugin(f"new-{kind}", kind, out=tmp_path)
    for example in EXAMPLES:
        shutil.copytree(example / "src", tmp_path / example.name / "src")
    shutil.copy(ROOT / "tests" / "assets" / "typed_plugin.py", tmp_path)
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


def problems(packages: Path, python: Path) -> list[dict[str, Any]]:
    """What pyright finds wrong in packages, each with sources of its own, in its strict mode."""
    environments = [
        {"root": folder.name, "extraPaths": [f"{folder.name}/src"], **UNTYPED.get(folder.name, {})}
        for folder in sorted(packages.iterdir())
        if folder.is_dir()
    ]
    settings = {"typeCheckingMode": "strict", "executionEnvironments": environments}
    (packages / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--project", packages, "--pythonpath", python, "--outputjson"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 2 * len(environments)
    return report["generalDiagnostics"]


@pytest.mark.cold
def test_a_strangers_packages_have_no_errors_of_types(fresh: Fresh, packages: Path) -> None:
    planted, others = set[int](), list[str]()
    for found in problems(packages, fresh.bin / "python"):
        place, line = Path(found["file"]).relative_to(packages), found["range"]["start"]["line"]
        if place.name == "wrong.py":
            planted.add(line)
        else:
            others.append(f"{place}:{line + 1}: {found['message']} ({found.get('rule')})")
    assert others == []
    assert planted == {number for number, line in enumerate(WRONG.splitlines()) if line.endswith("# wrong")}
