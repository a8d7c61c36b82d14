"""Pages that tell of a study show the figures of its result."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_on_normalization_has_the_table_of_the_study() -> None:
    path = ROOT / "benchmarks" / "normalization" / "study.py"
    spec = importlib.util.spec_from_file_location("study", path)
    assert spec and spec.loader
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    results = sorted((ROOT / "benchmarks" / "results").glob("normalization_*.json"))
    report = json.loads(results[-1].read_text())
    page = (ROOT / "docs" / "normalization.md").read_text()
    assert study.table(report["trainings"]) in page
    assert all(text in page for text in (report["date"], report["processor"], report["versions"]["torch"]))
