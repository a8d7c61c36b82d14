"""An environment of its own, in which genlab and the packages of `examples` are installed as a stranger has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"

APART = {"genlab-mlflow": ("pyarrow", "python-dateutil")}
"""Packages of `examples` that are not installed with the others: what each needs in versions of its own."""


@dataclass(frozen=True)
class Fresh:
    """A virtual environment with what a stranger has installed.

    Args:
        bin: where its commands are.
    """

    bin: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables for its commands, with nothing of the tests' own environment in the way."""
        return {
            **_plain_environment(),
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "120",
            # Small networks gain nothing by a second thread, and lose much where another process has the core.
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this environment, such as `gen`."""
        return subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def extended(self, root: Path) -> Fresh:
        """Another one, which has the packages of this one, and may get more without changing it."""
        _must([sys.executable, "-m", "venv", "--without-pip", root])
        (packages,) = self.bin.parent.glob("lib/python*/site-packages")
        (root / packages.relative_to(self.bin.parent) / "shared.pth").write_text(f"{packages}\n")
        for script in self.bin.iterdir():
            if not script.is_symlink() and not (root / "bin" / script.name).exists():
                shutil.copy(script, root / "bin")
                text = script.read_text().replace(str(self.bin), str(root / "bin"))
                (root / "bin" / script.name).write_text(text)
        return Fresh(root / "bin")


def make_environment(root: Path) -> None:
    """Make a virtual environment with wheels of genlab and of the packages in `examples`, but for those apart."""
    examples = sorted(file.parent for file in ROOT.glob("examples/*/pyproject.toml"))
    _make(root, [example for example in examples if example.name not in APART], CONSTRAINTS)


def make_environment_apart(root: Path, name: str) -> None:
    """Make a virtual environment with wheels of genlab and of a package in `examples` that is not with the others."""
    lines = CONSTRAINTS.read_text().splitlines(keepends=True)
    root.mkdir()
    constraints = root / "constraints.txt"
    constraints.write_text("".join(line for line in lines if line.partition("==")[0] not in APART[name]))
    _make(root, [ROOT / "examples" / name], constraints)


def _make(root: Path, examples: Sequence[Path], constraints: Path) -> None:
    """Make a virtual environment with wheels of genlab and of packages, pytest and hatchling."""
    # Its pip is installed with all else, which takes less time than the one that comes with Python.
    _must([sys.executable, "-m", "venv", "--without-pip", root])
    _link("torch", root)
    wheels = root / "wheels"
    _must([*_pip(), "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT, *examples])
    # `editables` is what hatchling needs to link a package, such as one that a test has made.
    tools = [f"pip=={version('pip')}", "pytest", "hatchling", "editables"]
    # In one call, so that versions are settled once. What is imported is compiled then; the rest need not be.
    options = ["--no-compile", "--constraint", constraints]
    _must([*_pip(), "--python", root / "bin" / "python", "install", *options, *tools, *sorted(wheels.glob("*.whl"))])


def _link(name: str, root: Path) -> None:
    """Have an installed package of this environment in a new one: for the one that takes longest to unpack."""
    package = distribution(name)
    (packages,) = root.glob("lib/python*/site-packages")
    # Scripts lie outside of the packages' folder.
    for top in {file.parts[0] for file in package.files or ()} - {".."}:
        (packages / top).symlink_to(package.locate_file(top))


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip", "--quiet"]


def _must(command: Sequence[str | Path]) -> None:
    """Run a command that makes the fresh environment; skip what needs it if the package index is not available."""
    done = subprocess.run(
        list(map(str, command)), env=_plain_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    if "connection broken by" in done.stderr and os.environ.get("CI") != "true":
        pytest.skip("the package index is out of reach, which the fresh environment is made from")
    pytest.fail(f"{' '.join(map(str, command))}\n{done.stderr}")


def _plain_environment() -> dict[str, str]:
    """The environment without what would make another Python find these sources, or count what it covers as theirs."""
    own = ("COV", "PYTEST_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
