"""Runs from before are read, resumed and continued as if their recipes had been written today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from tests.checkpoints import tensor_digests
from tests.manifests import edit_manifest

import genlab
from genlab.runs.former_recipes import upgraded


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {}),
        ({"schedule": {"name": "linear", "start": 0.5}}, {"schedule": {"name": "genlab:linear", "start": 0.5}}),
        ({"schedule": {"name": "constant", "start": 0.5, "end": 0.0}}, {"schedule": {"name": "genlab:constant"}}),
        (
            {"optimizer": {"name": "adamw", "betas": [0, 0.9]}},
            {"optimizer": {"name": "genlab:adamw", "betas": [0, 0.9]}},
        ),
        ({"schedule": {"name": "genlab:constant"}}, {"schedule": {"name": "genlab:constant"}}),
    ],
)
def test_a_recipe_from_before_in_todays_form(before: dict[str, Any], now: dict[str, Any]) -> None:
    copy = json.loads(json.dumps(before))
    assert upgraded(before) == now
    assert before == copy
    assert upgraded(now) == now


def before_there_were_kinds(run: Path) -> None:
    """Write a run's recipe as it was when optimizers and schedules were tables of the framework."""
    recipe = json.loads((run / "run.json").read_text())["recipe"]
    recipe["optimizer"] = {key: value for key, value in recipe["optimizer"].items() if key != "amsgrad"}
    recipe["optimizer"]["name"] = "adam"
    recipe["schedule"] = {"name": "constant", "start": 0.3, "end": 0.1}
    (run / "recipe.toml").write_text(tomli_w.dumps(recipe))
    edit_manifest(run, recipe=recipe)


def test_a_run_from_before_is_resumed_exactly(tiny: Path, tmp_path: Path) -> None:
    constant = ["schedule.name=constant"]
    whole = genlab.train(tiny, overrides=constant, out=tmp_path / "whole").path
    parts = genlab.train(tiny, overrides=constant, out=tmp_path / "parts", stop_at=3).path
    before_there_were_kinds(parts)
    assert genlab.open_run(parts).recipe.schedules["generator"].config.settings == {}
    assert genlab.resume(parts, overrides=["checkpoint.keep=1"]).manifest.status == "finished"
    assert tensor_digests(parts) == tensor_digests(whole)
    changes = genlab.open_run(parts).manifest.recipe_changes
    assert [change.key for change in changes] == ["checkpoint.keep"]
