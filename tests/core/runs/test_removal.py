"""Removal and pruning of runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, Once
from tests.core.runs.test_run_list import made

import genlab
from genlab import RunError
from genlab.engine.checkpoint_files import checkpoints, tensor_files
from genlab.runs.folder import RunFolder

Change = Callable[[Iterable[str | Path]], dict[Path, int]]


@pytest.fixture(scope="module")
def paused(once: Once) -> Path:
    """A run that was paused after each of two of its three steps, with a checkpoint of both."""

    def build(folder: Path) -> None:
        short = ["train.steps=3", "checkpoint.keep=3", "evaluate.pairs=1"]
        genlab.train(ROOT / "tests" / "assets" / "tiny.toml", overrides=short, stop_at=1, out=folder)
        genlab.resume(folder, stop_at=2)

    return once("paused-run", build)


@pytest.fixture
def run(paused: Path, tmp_path: Path) -> Path:
    return shutil.copytree(paused, tmp_path / "runs" / "run")


def predicted(run: Path) -> bytes:
    return genlab.open_run(run, device="cpu").predict(np.full((32, 32, 3), 90, np.uint8)).tobytes()


def test_a_pruned_run_predicts_the_same_and_says_why_it_cannot_be_resumed(run: Path) -> None:
    before, size = predicted(run), genlab.list_runs(run).runs[0].bytes
    assert genlab.list_runs(run).runs[0].can_resume()
    (freed,) = genlab.prune_runs([run]).values()
    (listed,) = genlab.list_runs(run).runs
    assert freed == size - listed.bytes > 0
    assert not listed.can_resume()
    assert predicted(run) == before
    assert len(checkpoints(run / "checkpoints")) == 1
    with pytest.raises(RunError) as error:
        genlab.resume(run)
    assert "pruned" in error.value.what
    assert "gen run" in str(error.value.hint)
    assert genlab.prune_runs([run]) == {run: 0}


def test_a_run_records_where_it_was_measured_and_what_is_better(run: Path) -> None:
    manifest = RunFolder(run).stored()
    assert (manifest.step, manifest.metrics_step, manifest.higher_is_better) == (2, 2, {"l1": False})
    shutil.rmtree(checkpoints(run / "checkpoints")[-1])
    genlab.resume(run, overrides=["evaluate.validations=1"], stop_at=2)
    manifest = RunFolder(run).stored()
    assert (manifest.step, manifest.metrics_step) == (2, None)  # it was measured at a step that was trained again


def test_a_finished_run_that_was_pruned_says_so(run: Path) -> None:
    genlab.resume(run)
    genlab.prune_runs([run])
    with pytest.raises(RunError, match="finished") as error:
        genlab.resume(run, overrides=["train.steps=4"])
    assert "pruned" in str(error.value.hint)


def test_a_run_whose_last_checkpoint_is_damaged_keeps_the_others(run: Path) -> None:
    last = checkpoints(run / "checkpoints")[-1]
    damaged = next(file for file in tensor_files(last) if file.name == "generator.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    there = sorted(run.rglob("*"))
    with pytest.raises(RunError, match="damaged"):
        genlab.prune_runs([run])
    assert sorted(run.rglob("*")) == there


def test_a_trial_that_is_still_to_be_resumed_is_not_pruned(run: Path, tmp_path: Path) -> None:
    trial = tmp_path / "skips" / "trials" / "skips" / "seed-0"
    trial.parent.mkdir(parents=True)
    (tmp_path / "skips" / "recipe.toml").touch()
    run.rename(trial)
    with pytest.raises(RunError, match="still to be resumed"):
        genlab.prune_runs([trial])


def test_removed_runs_are_gone_and_others_stay(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    freed = genlab.remove_runs([first])
    assert freed[first] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert second.is_dir()


@pytest.mark.parametrize("change", [genlab.remove_runs, genlab.prune_runs])
def test_a_run_given_by_several_names_is_changed_once(
    run: Path, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.parent.parent / "link").symlink_to(run.parent)
    monkeypatch.chdir(run.parent)
    assert list(change([run, "run", run.parent / "run" / ".." / "run", run.parent.parent / "link" / "run"])) == [run]


@pytest.mark.parametrize("kind", ["no run", "damaged", "link", "nested", "missing"])
def test_nothing_is_removed_where_one_is_no_run_alone(tmp_path: Path, kind: str) -> None:
    good, bad = made(tmp_path / "good"), tmp_path / "bad"
    if kind == "no run":
        (bad / "photos").mkdir(parents=True)
    elif kind == "damaged":
        made(bad)
        (bad / "run.json").write_text("{}")
    elif kind == "link":
        bad.symlink_to(made(tmp_path / "elsewhere"))
    elif kind == "nested":
        made(bad)
        made(bad / "below" / "inner")
    there = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunError) as error:
        genlab.remove_runs([good, bad])
    assert "bad" in str(error.value)
    assert sorted({*tmp_path.rglob("*")} - {good / ".lock", bad / ".lock"}) == there


@pytest.mark.parametrize("change", [genlab.remove_runs, genlab.prune_runs])
def test_a_run_that_is_being_trained_stays(run: Path, change: Change) -> None:
    with RunFolder(run).locked(), pytest.raises(RunError, match="training this run"):
        change([run])
    assert len(checkpoints(run / "checkpoints")) > 1
