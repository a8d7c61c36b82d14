"""Runs that were edited or damaged between two trainings: an error for people, and nothing of the run is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.core.test_bad_input import plugin
from tests.manifests import edit_manifest

import genlab
from genlab import RunError, StorageError


@pytest.fixture
def paused(tiny: Path, tmp_path: Path) -> genlab.Run:
    return genlab.train(tiny, out=tmp_path / "run", stop_at=4)


@pytest.mark.parametrize("step", [99, -3, 2])
def test_a_checkpoint_that_says_another_step_than_its_name(paused: genlab.Run, step: int) -> None:
    state = paused.path / "checkpoints" / "00000004" / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "step": step}))
    with pytest.raises(RunError, match="the checkpoint cannot be read: state"):
        genlab.resume(paused.path)


def test_a_copy_of_a_checkpoint_beside_it_does_not_count(paused: genlab.Run) -> None:
    checkpoint = paused.path / "checkpoints" / "00000004"
    shutil.copytree(checkpoint, checkpoint.with_name("9backup"))
    assert genlab.resume(paused.path).manifest.status == "finished"


def test_an_optimizers_state_of_another_network(tiny: Path, paused: genlab.Run, tmp_path: Path) -> None:
    wider = genlab.train(tiny, overrides=["generator.channels=16"], out=tmp_path / "wider", stop_at=4)
    name = "checkpoints/00000004/generator.optimizer.safetensors"
    shutil.copyfile(wider.path / name, paused.path / name)
    with pytest.raises(RunError, match=r"damaged: generator\.optimizer\.safetensors"):
        genlab.resume(paused.path)


def test_a_recipe_that_is_gone(paused: genlab.Run) -> None:
    paused.folder.recipe_path.unlink()
    with pytest.raises(RunError, match=r"recipe\.toml is missing"):
        genlab.resume(paused.path)


def test_a_lock_that_cannot_be_had(paused: genlab.Run) -> None:
    (paused.path / ".lock").unlink()
    (paused.path / ".lock").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        genlab.resume(paused.path)
    assert genlab.open_run(paused.path).predict(np.zeros((36, 36, 3), np.uint8)).shape == (32, 32, 3)


def test_starting_again_names_the_plugins(tiny: Path, tmp_path: Path) -> None:
    body = "class Mine(genlab.Listener):\n    pass"
    given = plugin(tmp_path, body, 'listener("mine", Mine)')
    run = genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[given], out=tmp_path / "a b", stop_at=1)
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(RunError) as caught:
        genlab.resume(run.path)
    assert f"gen run '{run.path}/recipe.toml' --plugin '{run.path}/plugins/mine.py'" in str(caught.value)


MINE = "class Mine(genlab.Listener):\n    pass"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda kept: kept.write_bytes(kept.read_bytes().replace(b"pass", b"pess")), "has changed"),
        (lambda kept: kept.write_bytes(b""), "has changed"),
        (Path.unlink, "is missing"),
        (lambda kept: shutil.copyfile(kept, kept.with_name("other.py")), "not one that the run was made with"),
    ],
)
def test_a_plugin_file_that_is_not_the_runs_is_named(
    tiny: Path, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    given = plugin(tmp_path, MINE, 'listener("mine", Mine)')
    run = genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[given], out=tmp_path / "run", stop_at=1)
    damage(run.path / "plugins" / "mine.py")
    for action in (genlab.resume, lambda path: genlab.open_run(path).generator):
        with pytest.raises(RunError, match=words) as caught:
            action(run.path)
        assert Path(str(caught.value.where)).parent == run.path / "plugins"
        assert "Restore it" in str(caught.value.hint)


def test_a_plugin_file_that_was_mended_is_used_once_the_manifest_says_so(tiny: Path, tmp_path: Path) -> None:
    given = plugin(tmp_path, MINE, 'listener("mine", Mine)')
    run = genlab.train(tiny, overrides=["listeners.mine={}"], plugins=[given], out=tmp_path / "run", stop_at=1)
    with (run.path / "plugins" / "mine.py").open("a") as kept:
        kept.write("# mended\n")
    edit_manifest(run.path, plugin_files=None)
    assert genlab.resume(run.path, trust=True).manifest.status == "finished"
