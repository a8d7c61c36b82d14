"""Digests of the code that a result depends on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from genlab.assemble import source_digest
from genlab.assemble.source_digest import digests

CORE = Path(source_digest.__file__).parents[1]


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the core, whose digest is taken."""
    copy = Path(shutil.copytree(CORE, tmp_path / "genlab", ignore=shutil.ignore_patterns("__pycache__")))
    monkeypatch.setattr(source_digest, "__file__", str(copy / "assemble" / "source_digest.py"))
    return copy


@pytest.mark.parametrize("package", ["cli", "scaffold", "testing", "tools", "ablation", "drawing", "runs", "registry"])
def test_code_that_computes_nothing_does_not_count(core: Path, package: str) -> None:
    before = digests([])
    (core / package / "__init__.py").write_text('"""Another docstring."""')
    assert digests([]) == before


@pytest.mark.parametrize("package", ["engine", "data", "images", "interfaces", "assemble"])
def test_code_that_computes_does(core: Path, package: str) -> None:
    before = digests([])
    (core / package / "more.py").write_text("X = 1")
    assert digests([]).keys() == before.keys()
    assert digests([]) != before
