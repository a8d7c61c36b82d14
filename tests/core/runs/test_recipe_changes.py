"""A run keeps its recipe: edits of its recipe.toml are refused, and `gen resume --set` records what it changes."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from safetensors.numpy import load_file
from tests.conftest import GenCommand, Once
from tests.core.runs.test_folder import manifest as a_manifest
from tests.manifests import edit_manifest

import genlab
from genlab import RecipeError, RunError
from genlab.config.document import read_file
from genlab.runs.folder import RunFolder
from genlab.runs.kept_recipe import kept_recipe
from genlab.runs.manifest import RecipeChange
from genlab.runs.recipe_changes import CHANGEABLE, CHANGEABLE_KEYS


@pytest.fixture
def paused(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run after 4 of 8 steps."""
    whole = once("paused-tiny", lambda folder: genlab.train(tiny, out=folder, stop_at=4))
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture
def finished(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run after its 8 steps."""
    whole = once("finished-tiny", lambda folder: genlab.train(tiny, out=folder))
    return Path(shutil.copytree(whole, tmp_path / "run"))


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())


def edit(run: Path, old: str, new: str) -> None:
    text = (run / "recipe.toml").read_text()
    assert old in text
    (run / "recipe.toml").write_text(text.replace(old, new))


def rates(run: Path) -> dict[int, float]:
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return {row["step"]: row["learning_rates"]["generator"] for row in rows if "learning_rates" in row}


def weights(run: Path) -> dict[str, np.ndarray]:
    last = max((run / "checkpoints").glob("[0-9]*"))
    return {f"{path.name}/{name}": a for path in last.glob("*.safetensors") for name, a in load_file(path).items()}


# Edits of the run's file


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps = 8", "steps = 6", "train.steps: 8 -> 6"),
        ("levels = 4", "levels = 3", "generator.levels: 4 -> 3"),
        ("dropout = false", "dropout = true", "inference.dropout: false -> true"),
        ("amount = 0.125\n", "", "augment.jitter.amount: 0.125 -> not set"),
        ("[listeners.jsonl]", "[listeners.previews]\n[listeners.jsonl]", "listeners.previews: not set -> {}"),
    ],
)
def test_an_edited_recipe_is_refused_by_all_that_read_it(paused: Path, old: str, new: str, told: str) -> None:
    edit(paused, old, new)
    for use in (genlab.resume, genlab.open_run, genlab.probe):
        with pytest.raises(RunError) as caught:
            use(paused)
        assert f"recipe.toml was edited, and a run keeps its recipe:\n  {told}\n" in str(caught.value)
        assert str(paused) in str(caught.value)


def test_comments_order_and_notation_are_no_edits_and_stay(paused: Path) -> None:
    text = (paused / "recipe.toml").read_text()
    head, *tables = text.replace("weight = 100.0", "weight = 1e2  # as the paper").split("\n[")
    augmentations = [table for table in tables if table.startswith("augment")]  # whose order counts
    others = [table for table in tables if table not in augmentations]
    reordered = "\n\n[".join([f"# mine\n{head}", *augmentations, *reversed(others)])
    assert reordered.count("as the paper") == 1
    (paused / "recipe.toml").write_text(reordered)
    assert genlab.resume(paused).manifest.status == "finished"
    assert (paused / "recipe.toml").read_text() == reordered


def test_the_remedy_of_an_edit_works(paused: Path, gen: GenCommand) -> None:
    before = (paused / "recipe.toml").read_text()
    edit(paused, "steps = 8", "steps = 6")
    refused = gen("resume", paused)
    assert refused.returncode == 2
    command = f"gen resume {paused} --set train.steps=6"
    assert command in refused.stderr.replace("\n", " ")
    (paused / "recipe.toml").write_text(before)
    assert gen(*shlex.split(command)[1:]).returncode == 0
    assert manifest(paused)["steps"] == manifest(paused)["step"] == 6


def test_the_remedy_of_an_edit_of_a_finished_run_works(finished: Path, gen: GenCommand) -> None:
    before = (finished / "recipe.toml").read_text()
    edit(finished, "learning_rate = 0.0002", "learning_rate = 0.0001")
    refused = gen("resume", finished).stderr.replace("\n", " ")
    (finished / "recipe.toml").write_text(before)
    command = refused[refused.index("gen resume") :].replace("train.steps=N", "train.steps=9")
    assert gen(*shlex.split(command)[1:]).returncode == 0
    assert manifest(finished)["step"] == 9


def test_a_run_from_before_manifests_had_recipes_is_read_as_it_was(paused: Path) -> None:
    edit_manifest(paused, recipe=None, replaced_recipe=None, recipe_changes=None)
    edit(paused, "steps = 8", "steps = 6")
    assert genlab.open_run(paused).recipe.settings.train.steps == 6
    assert genlab.resume(paused).step == 6
    assert manifest(paused)["recipe"]["train"]["steps"] == 6, "from here on, it is kept"


# Changes by a resume


def test_a_finished_run_continues_with_the_schedule_of_the_new_length(
    finished: Path, gen: GenCommand, tiny: Path, tmp_path: Path
) -> None:
    hint = gen("resume", finished)
    assert hint.returncode == 2
    assert f"gen resume {finished} --set train.steps=N" in hint.stderr
    continued = gen("resume", finished, "--set", "train.steps=12", "--set", "listeners.console={}")
    assert continued.returncode == 0, continued.stderr
    assert "learning rate rises from 5e-05 to 0.000133" in continued.stderr.replace("\n", " ")
    assert "train.steps: 8 -> 12 (step 8)" in continued.stderr, "the header"
    assert "12 steps" in continued.stderr
    genlab.train(tiny, overrides=["train.steps=12"], out=tmp_path / "other")
    old = rates(finished)
    assert [old[step] for step in range(9, 13)] == [rates(tmp_path / "other")[step] for step in range(9, 13)]
    stored = manifest(finished)
    assert (stored["status"], stored["step"], stored["steps"]) == ("finished", 12, 12)
    assert read_file(finished / "recipe.toml").values == stored["recipe"]
    change, console = stored["recipe_changes"]
    assert console["key"].startswith("listeners.console")
    assert change.pop("time") > stored["created"]
    assert change == {"step": 8, "key": "train.steps", "old": 8, "new": 12}


def test_continuing_is_exact(finished: Path, tiny: Path, tmp_path: Path) -> None:
    """With a constant rate, the length makes no difference to the weights."""
    constant = ["schedule.name=constant", "evaluate.previews=1", "evaluate.validations=1"]
    parts = genlab.train(tiny, overrides=[*constant, "train.steps=5"], out=tmp_path / "parts").path
    genlab.resume(parts, overrides=["train.steps=8"])
    whole = genlab.train(tiny, overrides=constant, out=tmp_path / "whole").path
    np.testing.assert_equal(weights(parts), weights(whole))


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["generator.channels=8", "seed=1"], ["seed: 0 -> 1", "generator.channels: 4 -> 8"]),
        (["losses.l1.weight=10"], ["losses.l1.weight: 100.0 -> 10"]),
        (["losses.l1=false"], ["losses.l1.weight: 100.0 -> not set"]),
        (["train.batch_size=2"], ["train.batch_size: 1 -> 2"]),
        (["optimizer.betas=[0.9, 0.999]"], ["optimizer.betas: [0.5, 0.999] -> [0.9, 0.999]"]),
        (["optimizer.name=sgd"], ["optimizer.name: ", "optimizer.momentum: not set -> 0.0"]),
        (
            ["optimizer.discriminator={betas=[0.9, 0.999], clip=2}"],
            ["optimizer.discriminator.betas: [0.5, 0.999] -> [0.9, 0.999]"],
        ),
        (["evaluate.metrics.psnr={}"], ["evaluate.metrics.psnr.name"]),
        (["ablation.seeds=[1]"], ["ablation.seeds: not set -> [1]"]),
        (["train.steps=20", "augment.flip=false"], ['augment.flip.name: "genlab:flip" -> not set']),
    ],
)
def test_what_decides_what_weights_mean_cannot_change(paused: Path, assignments: list[str], told: list[str]) -> None:
    before = (paused / "run.json").read_bytes(), (paused / "recipe.toml").read_bytes()
    with pytest.raises(RunError) as caught:
        genlab.resume(paused, overrides=assignments)
    assert all(f"\n  {words}" in caught.value.what for words in told)
    assert "train.steps:" not in caught.value.what, "that one can"
    assert ", ".join(CHANGEABLE_KEYS) in caught.value.hint
    words = [word for assignment in assignments for word in ("--set", assignment)]
    assert f"gen run {paused}/recipe.toml {shlex.join(words)}" in caught.value.hint
    assert before == ((paused / "run.json").read_bytes(), (paused / "recipe.toml").read_bytes())


def test_what_each_network_has_of_its_own_is_refused_at_once(tiny: Path, tmp_path: Path) -> None:
    values = ["optimizer.generator.learning_rate=1e-4", "data.count=2", "evaluate.pairs=1"]
    run = genlab.train(tiny, out=tmp_path / "run", overrides=values, stop_at=1).path
    with pytest.raises(RunError, match=r"cannot change optimizer\.weight_decay") as caught:
        genlab.resume(run, overrides=["optimizer.weight_decay=0.1"])
    assert "A new run would refuse" in str(caught.value.hint)
    assert "optimizer.generator.weight_decay" in str(caught.value.hint)


def test_a_misspelt_override_is_told_as_anywhere(paused: Path) -> None:
    with pytest.raises(RecipeError, match="Did you mean `steps`"):
        genlab.resume(paused, overrides=["train.step=12"])


@pytest.mark.parametrize("steps", [2, 4])
def test_a_length_that_is_done_is_refused(paused: Path, steps: int) -> None:
    with pytest.raises(RunError, match=rf"train\.steps = {steps}, and 4 steps are done"):
        genlab.resume(paused, overrides=[f"train.steps={steps}"])


def test_all_that_may_change_at_once(paused: Path) -> None:
    values = ["train.threads=2", "train.precision=bfloat16", "train.device=auto", "train.values_every=4"]
    values += ["optimizer.learning_rate=1e-5", "schedule={name='cosine', start=0.25}", "checkpoint.keep=3"]
    values += ["evaluate.validations=4", "evaluate.pairs=2", "evaluate.preview_pairs=1", "listeners.jsonl=false"]
    assert genlab.resume(paused, overrides=[*values, "train.device=cpu"]).manifest.status == "finished"
    stored = manifest(paused)
    told = {change["key"]: (change["old"], change["new"]) for change in stored["recipe_changes"]}
    assert told.pop("listeners.jsonl.name") == ("genlab:jsonl", None)
    assert told == {
        "train.threads": (1, 2),
        "train.precision": ("float32", "bfloat16"),
        "train.values_every": (1, 4),
        "optimizer.learning_rate": (2e-4, 1e-5),
        "schedule.name": ("genlab:linear", "genlab:cosine"),
        "schedule.start": (0.5, 0.25),
        "checkpoint.keep": (2, 3),
        "evaluate.validations": (2, 4),
        "evaluate.pairs": (100, 2),
        "evaluate.preview_pairs": (2, 1),
    }
    assert "optimizer.learning_rate: 0.0002 -> 1e-05 (step 4)" in stored["facts"]["changed"]
    assert genlab.open_run(paused).recipe.tables() == stored["recipe"]


def test_the_rate_of_one_network_may_change(paused: Path) -> None:
    """And then, from a recipe that has all by role, that of both: each has its own."""
    genlab.resume(paused, overrides=["optimizer.discriminator={learning_rate=1e-5, clip=1}"], stop_at=6)
    stored = manifest(paused)
    told = {change["key"]: (change["old"], change["new"]) for change in stored["recipe_changes"]}
    assert told == {"optimizer.discriminator.learning_rate": (2e-4, 1e-5), "optimizer.discriminator.clip": (None, 1.0)}
    with pytest.raises(RecipeError, match=r"changes nothing(.|\n)*optimizer\.generator\.learning_rate and"):
        genlab.resume(paused, overrides=["optimizer.learning_rate=1e-3"])
    both = [f"optimizer.{role}={{learning_rate=1e-3, clip=inf}}" for role in ("generator", "discriminator")]
    genlab.resume(paused, overrides=[*both, "schedule.generator.warmup=0.1"])
    assert len(manifest(paused)["recipe_changes"]) == 2 + 4
    assert "generator" not in manifest(paused)["recipe"]["optimizer"], "they agree again"
    assert rates(paused)[8] == pytest.approx(0.25 * 1e-3)


def test_a_rate_that_a_warm_up_raises_is_no_surprise(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = genlab.train(tiny, overrides=["schedule.warmup=1"], out=tmp_path / "run", stop_at=2).path
    genlab.resume(run, overrides=["checkpoint.keep=1"], stop_at=3)
    assert "rises" not in caplog.text
    genlab.resume(run, overrides=["optimizer.discriminator.learning_rate=1e-3"], stop_at=4)
    assert "rises from 7.5e-05 to 0.0005 (discriminator)" in caplog.text


def test_the_page_on_resuming_lists_what_may_change() -> None:
    page = (Path(__file__).parents[3] / "docs" / "resume.md").read_text()
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| `")]
    told = {key: decides.strip() == "yes" for keys, _, decides in rows for key in re.findall(r"`([^`]+)`", keys)}
    assert told == {changeable.keys: changeable.decides_result for changeable in CHANGEABLE}


def test_a_value_that_stays_is_no_change(paused: Path) -> None:
    genlab.resume(paused, overrides=["train.steps=8", "generator.channels=4"])
    assert manifest(paused)["recipe_changes"] == []
    assert "changed" not in manifest(paused)["facts"]


KILLED = """
import os, sys
import genlab
from genlab.runs import kept_recipe

run, moment = sys.argv[1:]
update, write_text = kept_recipe.RunFolder.update, kept_recipe.write_text

def killed(*_, **__):
    os._exit(9)

def killed_after(*arguments):
    write_text(*arguments)
    os._exit(9)

if moment == "before run.json":
    kept_recipe.RunFolder.update = killed
kept_recipe.write_text = killed if moment == "before recipe.toml" else killed_after
genlab.resume(run, overrides=["train.steps=12"])
"""


@pytest.mark.parametrize("moment", ["before run.json", "before recipe.toml", "after recipe.toml"])
def test_a_process_that_is_killed_while_it_changes_the_recipe(
    finished: Path, python: list[str], tmp_path: Path, moment: str
) -> None:
    killed = subprocess.run([*python, "-c", KILLED, str(finished), moment], check=False)
    assert killed.returncode == 9
    changed = moment != "before run.json"
    opened = genlab.open_run(finished)
    assert opened.manifest.status == ("interrupted" if changed else "finished")
    assert opened.recipe.settings.train.steps == (12 if changed else 8)
    whole = Path(shutil.copytree(finished, tmp_path / "whole"))
    genlab.resume(finished, overrides=["train.steps=12"])
    if changed:
        assert genlab.resume(whole).step == 12, "the change was made"
        np.testing.assert_equal(weights(whole), weights(finished))
    stored = manifest(finished)
    assert (stored["step"], stored["steps"], stored["replaced_recipe"]) == (12, 12, None)
    assert [change["key"] for change in stored["recipe_changes"]] == ["train.steps"]
    assert read_file(finished / "recipe.toml").values == stored["recipe"]


def test_an_edit_while_a_change_is_cut_off_is_an_edit(finished: Path, python: list[str]) -> None:
    subprocess.run([*python, "-c", KILLED, str(finished), "before recipe.toml"], check=False)
    edit(finished, "steps = 8", "steps = 9")
    with pytest.raises(RunError, match=r"train\.steps: 12 -> 9"):
        genlab.resume(finished)


def test_infinite_values_are_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    values = {"loss": {"bound": math.inf, "other": [math.nan, -math.inf], "large": 2**62}}
    now = datetime(2026, 1, 2, tzinfo=UTC)
    folder.write(
        a_manifest(recipe=values, recipe_changes=[RecipeChange(step=1, time=now, key="a", old=math.inf, new=None)])
    )
    folder.recipe_path.write_text(tomli_w.dumps(values))
    kept_recipe(folder)
    assert folder.stored().recipe_changes[0].old == math.inf


def test_why_the_data_are_these_stays_recorded(tiny: Path, tmp_path: Path) -> None:
    drawn = '{name="drawn_facades", size=36, count=8, validation_count=4}'
    sources = f'data={{name="first_available", sources=[{{name="side_by_side", root="missing"}}, {drawn}]}}'
    begun = genlab.train(tiny, overrides=[sources], out=tmp_path / "run", stop_at=4).manifest.data
    assert begun.source == "drawn_facades"
    assert begun.reason and "missing" in begun.reason
    assert genlab.resume(tmp_path / "run").manifest.data == begun
