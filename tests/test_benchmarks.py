"""Studies run, and pages that tell of one show the figures of its result."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def loaded(name: str) -> ModuleType:
    """The module `study.py` in a folder of benchmarks."""
    spec = importlib.util.spec_from_file_location(f"{name}_study", ROOT / "benchmarks" / name / "study.py")
    assert spec and spec.loader
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    return study


@pytest.mark.parametrize("name", ["normalization", "healthy_runs"])
def test_the_page_on_a_study_has_its_table(name: str) -> None:
    results = sorted((ROOT / "benchmarks" / "results").glob(f"{name}_*.json"))
    report = json.loads(results[-1].read_text())
    page = (ROOT / "docs" / f"{name}.md").read_text()
    assert loaded(name).table(report["trainings"]) in page
    assert all(text in page for text in (report["date"], report["processor"], report["versions"]["torch"]))


def test_healthy_runs_are_trained_and_drawn(tmp_path: Path) -> None:
    small = ["data.count=2", "data.validation_count=2", "generator.channels=2", "discriminator.channels=2"]
    short = ["train.steps=2", "train.values_every=1", "evaluate.validations=1"]
    study = loaded("healthy_runs")
    overrides = [f"--set={change}" for change in [*small, *short]]
    study.main([f"--out={tmp_path}/runs", f"--images={tmp_path}", *overrides])
    drawn = sorted(path.name for path in tmp_path.glob("healthy_runs_*"))
    shipped = sorted(path.name for path in (ROOT / "docs" / "images").glob("healthy_runs_*"))
    assert drawn == shipped
    for name in study.RUNS:
        svg = (tmp_path / f"healthy_runs_{study.slug(name)}.svg").read_text()
        assert all(words in svg for words in ("discriminator", "generator", "train/l1", "validation/l1"))
