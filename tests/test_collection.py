"""The suite runs all that it has."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_no_folder_of_tests_is_passed_over(request: pytest.FixtureRequest) -> None:
    """By default pytest enters no folder called `build`, for example."""
    ignored: list[str] = request.config.getini("norecursedirs")
    names = {name for file in (ROOT / "tests").rglob("test_*.py") for name in file.relative_to(ROOT).parts}
    assert [name for name in names if any(fnmatch(name, pattern) for pattern in ignored)] == []
