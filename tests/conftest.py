"""What tests of core and plugins share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GenCommand = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tiny() -> Path:
    """A recipe that trains eight steps in about a second."""
    return ROOT / "tests" / "assets" / "tiny.toml"


@pytest.fixture
def facades() -> Path:
    """The real facades, side by side, in `train` and `val`: named by the environment variable GENLAB_FACADES."""
    folder = os.environ.get("GENLAB_FACADES")
    if not folder or not Path(folder, "train").is_dir():
        pytest.skip("GENLAB_FACADES names no folder with the real facades (train/ and val/ of side-by-side images)")
    return Path(folder).resolve()


@pytest.fixture
def gen(tmp_path: Path) -> GenCommand:
    """Run the real command in a process of its own, in an empty folder, with no terminal."""

    def call(*arguments: str | Path, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "genlab", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=timeout,
            env={**os.environ, "COLUMNS": "120", **environment},
            check=False,
        )

    return call
