"""Lists of runs, their notes, and how they are chosen."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.core.runs.test_folder import manifest

import genlab
from genlab import RunError
from genlab.runs.folder import RunFolder
from genlab.runs.run_condition import parse_condition
from genlab.runs.run_list import newest_to_resume

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def made(path: Path, age: int = 0, **changes: object) -> Path:
    """A run that is a manifest and a recipe, last changed some hours ago."""
    path.mkdir(parents=True)
    RunFolder(path).write(manifest(updated=NOW - timedelta(hours=age), **changes))
    (path / "recipe.toml").write_text("")
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs, and an ablation with two trials, of which one was put aside."""
    folder = tmp_path / "runs"
    facts = {"status": "finished", "step": 8}
    recipe = {"generator": {"name": "genlab:unet", "levels": 4}, "inference": {"dropout": True}}
    made(folder / "a", 3, title="Facades", metrics={"validation/l1": 0.3}, recipe=recipe, **facts)
    made(folder / "deep" / "b", 2, title="Maps", metrics={"validation/l1": 0.1, "validation/psnr": 20.0}, **facts)
    made(folder / "c", 1, title="Maps", status="paused", step=3)
    ablation = folder / "skips"
    made(ablation / "trials" / "no-skips" / "seed-0", 5, title="Skips", metrics={"validation/l1": 0.2}, **facts)
    made(ablation / "aside" / "0123", 6, title="Skips", **facts)
    (ablation / "recipe.toml").touch()
    return folder


def names(folder: Path, **choice: object) -> list[str]:
    return [run.name for run in genlab.list_runs(folder, **choice).runs]  # pyright: ignore[reportArgumentType]


def test_runs_are_listed_newest_first_and_trials_are_marked(runs: Path) -> None:
    found = genlab.list_runs(runs)
    assert [run.name for run in found.runs] == ["c", "deep/b", "a", "skips/trials/no-skips/seed-0", "skips/aside/0123"]
    assert [run.ablation for run in found.runs] == [None, None, None, runs / "skips", runs / "skips"]
    assert found.main_metric() == "validation/l1"
    assert not found.problems


def test_a_run_itself_is_a_list_of_one(runs: Path) -> None:
    assert names(runs / "a") == ["a"]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ({"recipe": "maps"}, ["c", "deep/b"]),
        ({"status": ["paused"]}, ["c"]),
        ({"where": ["validation/l1 < 0.25"]}, ["deep/b", "skips/trials/no-skips/seed-0"]),
        ({"where": ["validation/l1<=0.1"]}, ["deep/b"]),
        ({"where": ["generator.name = unet", "generator.levels > 3"]}, ["a"]),
        ({"where": ["generator.name = genlab:unet"]}, ["a"]),
        ({"where": ["generator.name != 'unet'"]}, []),
        ({"where": ["inference.dropout = true"]}, ["a"]),
        ({"where": ["generator.levels != 4"]}, []),
        ({"sort": "validation/l1", "where": ["validation/l1 > 0"]}, ["deep/b", "skips/trials/no-skips/seed-0", "a"]),
        ({"sort": "name", "status": ["finished"], "reverse": True}, ["skips/trials/no-skips/seed-0", "deep/b", "a"]),
    ],
)
def test_runs_are_chosen_and_sorted(runs: Path, choice: dict[str, object], chosen: list[str]) -> None:
    shutil.rmtree(runs / "skips" / "aside")
    assert names(runs, **choice) == chosen


def test_the_best_run_by_a_metric_is_first(runs: Path) -> None:
    better = {"l1": False, "psnr": True}
    for number in (19.0, 21.0):
        metrics = {"validation/psnr": number, "gap/psnr": number}
        made(runs / f"psnr-{number:.0f}", metrics=metrics, higher_is_better=better, status="paused")
    assert names(runs, sort="validation/psnr")[:3] == ["psnr-21", "deep/b", "psnr-19"]
    assert names(runs, sort="validation/psnr", reverse=True)[:3] == ["psnr-19", "deep/b", "psnr-21"]
    assert names(runs, sort="gap/psnr")[:2] == ["psnr-19", "psnr-21"]
    assert names(runs, sort="validation/l1")[0] == "deep/b"


def test_the_lowest_is_first_with_a_warning_where_no_run_recorded_what_is_better(
    runs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names(runs, sort="generator.levels")
    assert not caplog.messages
    assert names(runs, sort="validation/l1")[0] == "deep/b"
    (message,) = caplog.messages
    assert "validation/l1" in message and "lowest" in message


def test_another_status_is_an_error(runs: Path) -> None:
    with pytest.raises(genlab.ArgumentError, match=r"'running' or 'finished' or .*, got 'done'"):
        names(runs, status=["done"])
    assert names(runs, status=["running"]) == []


def test_runs_without_the_value_are_last_in_both_orders(runs: Path) -> None:
    assert names(runs, sort="validation/psnr")[0] == "deep/b"
    assert names(runs, sort="validation/psnr", reverse=True)[0] == "deep/b"


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"where": ["validation/l2 < 1"]}, "Did you mean `validation/l1`"),
        ({"where": ["l1 ~ 1"]}, '"validation/l1 < 0.2"'),
        ({"where": ["generator.name < unet"]}, "other values compare by = and !="),
        ({"sort": "sise"}, "sort by sise"),
    ],
)
def test_a_condition_that_cannot_hold_is_an_error(runs: Path, choice: dict[str, object], named: str) -> None:
    with pytest.raises(RunError) as error:
        names(runs, **choice)
    assert named in str(error.value)


def test_what_is_no_run_is_told_and_ends_nothing(runs: Path) -> None:
    (runs / "photos").mkdir()
    (runs / "photos" / "run.txt").touch()
    (runs / "lost" / "checkpoints").mkdir(parents=True)
    (runs / "lost" / "recipe.toml").touch()
    (runs / "torn").mkdir()
    (runs / "torn" / "recipe.toml").touch()
    (runs / "torn" / "run.json").write_text('{"title": ')
    (runs / "other").mkdir()
    (runs / "other" / "run.json").write_text("[1]")
    (runs / "a" / "notes.json").write_text("{}x")
    (runs / "loop").symlink_to(runs)
    found = genlab.list_runs(runs)
    assert [run.name for run in found.runs][:2] == ["c", "deep/b"]
    problems = {path.relative_to(runs).as_posix(): reason for path, reason in found.problems.items()}
    assert problems.keys() == {"photos", "lost", "torn", "other", "a", "loop"}
    assert problems["photos"] == "no run is in it"
    assert "run.json is missing" in problems["lost"]
    assert "run.json cannot be read" in problems["torn"]
    assert "recipe.toml is missing" in problems["other"]
    assert "note and tags" in problems["a"]


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="folder"):
        genlab.list_runs(tmp_path / name)


def test_notes_and_tags_are_kept_and_change_nothing_else(runs: Path) -> None:
    before = (runs / "a" / "run.json").read_bytes()
    genlab.annotate_run(runs / "a", note="the one\nof the paper", tags=["good", "paper"])
    assert genlab.annotate_run(runs / "a", tags=["best"], untag=["good"]).tags == ["best", "paper"]
    assert names(runs, tags=["paper", "best"]) == ["a"]
    assert names(runs, tags=["good"]) == []
    (run,) = genlab.list_runs(runs, tags=["paper"]).runs
    assert run.annotation.note == "the one\nof the paper"
    assert genlab.annotate_run(runs / "a", note="").note == ""
    assert (runs / "a" / "run.json").read_bytes() == before


@pytest.mark.parametrize("tag", ["", "two words", "a,b"])
def test_a_tag_is_a_word(runs: Path, tag: str) -> None:
    with pytest.raises(genlab.ArgumentError, match="a word"):
        genlab.annotate_run(runs / "a", tags=[tag])


def test_the_newest_stopped_run_is_resumed_and_no_trial(runs: Path) -> None:
    made(runs / "skips" / "trials" / "skips" / "seed-0", title="Skips", status="interrupted")
    made(runs / "running-no-more", 4, title="Killed", status="running")
    assert newest_to_resume(runs).path == runs / "c"
    shutil.rmtree(runs / "c")
    assert newest_to_resume(runs).path == runs / "running-no-more"
    shutil.rmtree(runs / "running-no-more")
    with pytest.raises(RunError) as error:
        newest_to_resume(runs)
    assert "deep/b (finished)" in str(error.value)
    assert "gen ablate" in str(error.value)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("x.y = [1, 2]", [1, 2], True),
        ("x.y != 32", [32, 48], True),
        ("x.y = 2024", "2024", True),
        ("x.y == False", False, True),
        ("x.y = 1", True, False),
        ("x.y != unet", "unet", False),
        ("x.y < 3", 2, True),
    ],
)
def test_a_condition_takes_values_as_recipes_have_them(text: str, value: object, holds: bool) -> None:
    assert parse_condition(text).holds({"x.y": value}) is holds
    assert not parse_condition(text).holds({})
