"""A run that is killed at any moment is resumed as if it had not been: nothing is lost, and nothing differs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SCRIPT = Path(__file__).with_name("kills.py")
MEMORY = Path("/dev/shm")


def test_killed_at_random_moments_it_ends_as_if_undisturbed(
    tiny: Path, make_pairs: Callable[..., Path], python: list[str], request: pytest.FixtureRequest
) -> None:
    """`--kills 300` for more of them."""
    wanted = request.config.getoption("--kills")
    # In memory, where there is such a folder: thousands of files are synced, which takes longer than all else.
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        command = [*python, str(SCRIPT), str(tiny), str(make_pairs()), folder, str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 + 10 * wanted)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
    assert found["kills"] >= wanted
    assert found["different"] == []
