"""Runs that end by their own rule: finished, with a reason, and with what it takes to train on."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand, Once
from tests.core.runs.scripted import train
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab import BestValidation, EarlyEnd, RecipeError, RunError
from genlab.engine.checkpoint_files import checkpoints
from genlab.engine.checkpoint_state import read_progress

END = {
    "by": "train.patience",
    "reason": "by validation/told, the last 3 validations were not better than 0.6 at step 2",
}


def steps_of(run: Path) -> list[int]:
    return [int(path.name) for path in checkpoints(run / "checkpoints")]


@pytest.fixture
def impatient(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run with a patience of 3, which ended after 5 of 8 steps."""

    def build(folder: Path) -> None:
        folder.mkdir()
        train(tiny, folder / "run", ["train.patience=3"])

    return Path(shutil.copytree(once("impatient", build) / "run", tmp_path / "run"))


@pytest.fixture
def clocked(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run that a listener ended after 5 of 8 steps."""

    def build(folder: Path) -> None:
        folder.mkdir()
        train(tiny, folder / "run", ["listeners.clock.stop_at=5"])

    return Path(shutil.copytree(once("clocked", build) / "run", tmp_path / "run"))


def test_the_manifest_says_what_ended_the_run_and_which_step_was_the_best(impatient: Path) -> None:
    manifest = read_manifest(impatient)
    assert (manifest["status"], manifest["step"], manifest["steps"], manifest["ended_early"]) == ("finished", 5, 8, END)
    assert manifest["best"] == {"score": "validation/told", "step": 2, "value": 0.6, "since": 3}
    assert manifest["metrics"]["validation/told"] == 0.2, "the last validation's"
    assert manifest["facts"]["best"] == "validation/told; ends early after 3 validations without a better one"
    assert steps_of(impatient) == [2, 5]
    opened = genlab.open_run(impatient).manifest
    assert opened.best == BestValidation("validation/told", 2, 0.6, 3)
    assert opened.ended_early == EarlyEnd(**END)


def test_a_pause_changes_neither_the_end_nor_the_best(impatient: Path, tiny: Path, tmp_path: Path) -> None:
    parts = train(tiny, tmp_path / "parts", ["train.patience=3"], stop_at=3).path
    genlab.resume(parts, trust=True)
    assert tensor_digests(parts) == tensor_digests(impatient)
    assert steps_of(parts) == [2, 5]
    mine, yours = (read_manifest(run) for run in (parts, impatient))
    assert all(mine[name] == yours[name] for name in ("status", "step", "metrics", "best", "ended_early"))


def test_a_resume_says_that_it_ended_and_how_to_continue(impatient: Path, gen: GenCommand) -> None:
    refused = gen("resume", impatient, "--trust")
    assert refused.returncode == 2
    said = " ".join(refused.stderr.split())
    assert f"ended early, after 5 of 8 steps, by train.patience: {END['reason']}" in said
    command = said[said.index("gen resume") :]
    assert command == f"gen resume {impatient} --set train.patience=N"
    done = gen(*shlex.split(command.replace("=N", "=5"))[1:], "--set", "listeners.console={}", "--trust")
    assert done.returncode == 0, done.stderr
    assert "ended early by train.patience" in done.stderr
    assert "best validation/told 0.6 at step 2" in done.stderr
    assert "--checkpoint best" in done.stdout, "what to do next"
    manifest = read_manifest(impatient)
    assert (manifest["status"], manifest["step"], manifest["best"]["since"]) == ("finished", 7, 5)
    assert steps_of(impatient) == [2, 7]


@pytest.mark.parametrize("overrides", [["title=more"], ["train.steps=20"], ["train.patience=2"], ["train.patience=3"]])
def test_without_more_patience_it_does_not_go_on(impatient: Path, overrides: list[str]) -> None:
    before = (impatient / "run.json").read_bytes()
    with pytest.raises(RunError, match="the run ends where it is, at step 5") as caught:
        genlab.resume(impatient, overrides=overrides, trust=True)
    assert caught.value.hint == "Set train.patience to more than 3."
    assert (impatient / "run.json").read_bytes() == before


def test_more_patience_makes_it_the_run_that_had_it_from_the_start(impatient: Path, tiny: Path, tmp_path: Path) -> None:
    genlab.resume(impatient, overrides=["train.patience=6"], trust=True)
    whole = train(tiny, tmp_path / "whole", ["train.patience=6"]).path
    assert tensor_digests(impatient) == tensor_digests(whole)
    manifest = read_manifest(impatient)
    assert (manifest["step"], manifest["ended_early"], manifest["best"]["since"]) == (8, None, 6)


def test_with_another_score_the_best_begins_anew(impatient: Path) -> None:
    genlab.resume(impatient, overrides=["checkpoint.best=validation/l1"], trust=True)
    best = read_manifest(impatient)["best"]
    assert best["score"] == "validation/l1"
    assert best["step"] > 5
    assert 2 not in steps_of(impatient)


def test_a_run_that_a_listener_ended(clocked: Path, gen: GenCommand) -> None:
    manifest = read_manifest(clocked)
    assert manifest["ended_early"] == {"by": "listeners.clock", "reason": "the clock says so"}
    assert (manifest["status"], manifest["step"]) == ("finished", 5)
    said = " ".join(gen("resume", clocked, "--trust").stderr.split())
    assert "after 5 of 8 steps, by listeners.clock: the clock says so" in said
    command = said[said.index("gen resume") :]
    assert command == f"gen resume {clocked} --set listeners.clock=false"
    assert gen(*shlex.split(command)[1:], "--trust").returncode == 0
    manifest = read_manifest(clocked)
    assert (manifest["status"], manifest["step"], manifest["ended_early"]) == ("finished", 8, None)


def refused(run: Path, *overrides: str) -> RunError:
    """The error of a resume, which changes nothing."""
    before = (run / "run.json").read_bytes(), read_progress(checkpoints(run / "checkpoints")[-1])
    with pytest.raises(RunError) as caught:
        genlab.resume(run, overrides=overrides, trust=True)
    assert before == ((run / "run.json").read_bytes(), read_progress(checkpoints(run / "checkpoints")[-1]))
    return caught.value


@pytest.mark.parametrize(
    "overrides",
    [["title=more"], ["train.steps=20"], ["listeners.clock.stop_at=5"], ["listeners.clock2={name='clock'}"]],
    ids=str,
)
def test_without_another_listener_it_does_not_go_on(clocked: Path, overrides: list[str]) -> None:
    error = refused(clocked, *overrides)
    assert "after 5 of 8 steps, by listeners.clock: the clock says so" in error.what
    assert f"gen resume {clocked} --set listeners.clock=false" in str(error.hint)


@pytest.mark.parametrize("overrides", [[], ["title=more"], ["train.steps=20"], ["listeners.clock=false"]], ids=str)
def test_a_run_that_its_method_ended_is_trained_anew(clocked: Path, overrides: list[str]) -> None:
    edit_manifest(clocked, ended_early={"by": "method", "reason": "enough"})
    error = refused(clocked, *overrides)
    assert "after 5 of 8 steps, by method: enough" in error.what
    assert f"gen run {clocked}/recipe.toml" in str(error.hint)


def test_a_run_that_was_killed_at_its_end_goes_on_without_the_listener(clocked: Path) -> None:
    edit_manifest(clocked, status="interrupted", ended_early=None)
    manifest = genlab.resume(clocked, overrides=["listeners.clock=false"], trust=True).manifest
    assert (manifest.step, manifest.ended_early) == (8, None)


def test_a_stop_at_the_last_step_does_not_end_a_longer_training(tiny: Path, tmp_path: Path) -> None:
    run = train(tiny, tmp_path / "run", ["train.steps=2", "listeners.clock.stop_at=2"]).path
    manifest = genlab.resume(run, overrides=["train.steps=3"], trust=True).manifest
    assert (manifest.step, manifest.ended_early) == (3, None)


def test_once_it_goes_on_past_a_stop_a_kill_does_not_bring_it_back(clocked: Path) -> None:
    genlab.resume(clocked, overrides=["listeners.clock.stop_at=7"], stop_at=6, trust=True)
    shutil.rmtree(checkpoints(clocked / "checkpoints")[-1])  # as if killed before that was saved
    assert read_progress(checkpoints(clocked / "checkpoints")[-1]).stop is None
    assert genlab.resume(clocked, trust=True).manifest.step == 7


def test_a_finished_run_whose_end_is_damaged_is_trained_to_the_same_end(impatient: Path) -> None:
    before = tensor_digests(impatient)
    last = checkpoints(impatient / "checkpoints")[-1]
    (last / "generator.safetensors").write_bytes(b"damaged")
    assert genlab.resume(impatient, trust=True).manifest.ended_early == EarlyEnd(**END)
    assert tensor_digests(impatient) == before


# Recipes


def fault(tiny: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        genlab.check(tiny, overrides=overrides)
    return str(caught.value)


def test_a_score_that_no_metric_gives(tiny: Path) -> None:
    said = fault(tiny, "checkpoint.best=validation/l2")
    assert "no metric gives `validation/l2`; there are validation/l1, train/l1, gap/l1" in said
    assert "Did you mean `validation/l1`?" in said
    assert "--set checkpoint.best" in said, "where"
    assert "no metrics in [evaluate.metrics]" in fault(tiny, "checkpoint.best=l1", "evaluate.metrics.l1=false")


def test_patience_without_a_score(tiny: Path) -> None:
    said = fault(tiny, "train.patience=3")
    assert "`checkpoint.best`, which is not set" in said
    assert 'Set checkpoint.best = "validation/l1".' in said
    assert "expected an integer of at least 1" in fault(tiny, "train.patience=0", "checkpoint.best=validation/l1")
