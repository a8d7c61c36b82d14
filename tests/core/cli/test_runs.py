"""`gen runs` and `gen resume` without an argument."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from tests.conftest import GenCommand
from tests.core.runs.test_run_list import made

from genlab.cli.runs import StatusName
from genlab.runs.manifest import ConversionRecord, RunStatus


def test_gen_runs_lists_and_is_short_for_list(gen: GenCommand, tmp_path: Path) -> None:
    made(tmp_path / "runs" / "one", title="Facades", status="finished", metrics={"validation/l1": 0.25})
    (tmp_path / "runs" / "photos").mkdir()
    listed = gen("runs")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout == gen("runs", "list", "runs").stdout
    head, row, problem = listed.stdout.splitlines()
    assert head.split() == ["run", "recipe", "status", "step", "validation/l1", "size", "age"]
    assert row.split()[:5] == ["runs/one", "Facades", "finished", "0/8", "0.25"]
    assert problem == "runs/photos: no run is in it"
    (run,) = json.loads(gen("runs", "--json").stdout)["runs"]
    assert run["metrics"] == {"validation/l1": 0.25}


def test_a_metric_is_shown_with_its_step_where_it_is_another(gen: GenCommand, tmp_path: Path) -> None:
    for name, step in (("later", 4), ("same", 8), ("unknown", None)):
        made(tmp_path / "runs" / name, step=8, metrics={"validation/l1": 0.25}, metrics_step=step)
    source = ConversionRecord(file="net.pth", sha256="0", layout="unet_128")
    made(tmp_path / "runs" / "weights", steps=0, conversion=source)
    _, *rows = gen("runs", "--sort", "name", "--metric", "validation/l1").stdout.splitlines()
    assert [re.split(r"\s{2,}", row)[3:5] for row in rows] == [
        ["8/8", "0.25 (at 4)"],
        ["8/8", "0.25"],
        ["8/8", "0.25"],
        ["converted", "-"],
    ]
    listed = json.loads(gen("runs", "--sort", "name", "--json").stdout)["runs"]
    assert [run["metrics_step"] for run in listed] == [4, 8, None, None]
    assert [run["converted_from"] for run in listed] == [None, None, None, "net.pth"]


def test_a_metric_may_be_one_of_runs_that_are_left_out(gen: GenCommand, tmp_path: Path) -> None:
    made(tmp_path / "runs" / "one", status="finished", metrics={"validation/l1": 0.25})
    made(tmp_path / "runs" / "two", status="running")
    assert gen("runs", "--status", "interrupted", "--metric", "validation/l1").returncode == 0
    refused = gen("runs", "--metric", "validation/l2", "--json")
    assert refused.returncode == 2 and "validation/l1" in refused.stderr


@pytest.mark.parametrize("verb", ["prune", "remove"])
def test_runs_are_checked_before_the_question(gen: GenCommand, tmp_path: Path, verb: str) -> None:
    run = made(tmp_path / "runs" / "one")
    refused = gen("runs", verb, run, tmp_path / "nowhere")
    assert refused.returncode == 2
    assert "--yes" not in refused.stderr
    assert "checkpoint" in refused.stderr if verb == "prune" else "nowhere" in refused.stderr


def test_the_statuses_of_the_option_are_those_of_runs() -> None:
    assert [str(status) for status in StatusName] == list(get_args(RunStatus))


@pytest.mark.parametrize(
    ("columns", "title"), [("140", "U-Net, label maps to fa…"), ("80", "U-Net, label m"), ("60", "")]
)
def test_a_run_has_a_line_in_any_terminal(gen: GenCommand, tmp_path: Path, columns: str, title: str) -> None:
    made(tmp_path / "runs" / "one", title="U-Net, label maps to facades", metrics={"validation/l1": 0.25})
    head, row = gen("runs", COLUMNS=columns).stdout.splitlines()
    assert title in row
    assert ("recipe" in head) == bool(title)


def test_marks_are_shown(gen: GenCommand, tmp_path: Path) -> None:
    made(tmp_path / "runs" / "one", title="Facades")
    assert gen("runs", "mark", "runs/one", "--note", "for\nTable 2", "--tag", "paper").returncode == 0
    listed = gen("runs", "--tag", "paper").stdout
    assert "paper" in listed
    assert r"for\nTable 2" in listed
    refused = gen("runs", "mark", "runs/one", "--tag", "two words")
    assert refused.returncode == 2
    assert "'two words'" in refused.stderr


def test_runs_are_removed_with_a_yes_alone_and_trials_with_a_word_on_it(gen: GenCommand, tmp_path: Path) -> None:
    trial = made(tmp_path / "skips" / "trials" / "skips" / "seed-0")
    (tmp_path / "skips" / "recipe.toml").touch()
    asked = gen("runs", "remove", trial)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert trial.is_dir()
    done = gen("runs", "remove", trial, "--yes")
    assert done.returncode == 0
    assert "trial of the ablation" in done.stderr
    assert "freed" in done.stdout
    assert not trial.exists()


def test_gen_resume_takes_the_newest_and_says_which(gen: GenCommand, tmp_path: Path, tiny: Path) -> None:
    assert gen("resume").returncode == 2
    short = ("--set", "evaluate.pairs=1", "--steps", "2")
    assert gen("run", tiny, "--out", "runs/stopped", "--stop-at", "1", *short).returncode == 0
    made(tmp_path / "runs" / "done", status="finished")
    resumed = gen("resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "runs/stopped" in resumed.stderr
    again = gen("resume")
    assert again.returncode == 2
    assert "runs/stopped" not in again.stdout
    assert "stopped (finished)" in again.stderr
