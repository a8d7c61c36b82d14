"""The Python API on real, tiny trainings."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.manifests import edit_manifest

import genlab
from genlab import DataError, DeviceError, RecipeError, RunError
from genlab.assemble.experiment import build
from genlab.config.load import load_recipe
from genlab.data.sides import to_network
from genlab.data.view import SideView


@pytest.fixture
def run(tiny: Path, tmp_path: Path) -> genlab.Run:
    return genlab.train(tiny, overrides=["train.steps=4", "listeners.previews={}"], out=tmp_path / "run")


CALLS: dict[str, Callable[..., object]] = {
    "train": genlab.train,
    "check": genlab.check,
    "plan_ablation": genlab.plan_ablation,
    "bench": genlab.bench,
    "read_recipe": genlab.read_recipe,
    "inspect_data": genlab.inspect_data,
    "describe_networks": genlab.describe_networks,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("argument", "given"), [("overrides", "train.steps=3"), ("plugins", "mine.py")])
def test_a_text_in_the_place_of_a_list_is_refused(
    call: Callable[..., object], argument: str, given: str, tiny: Path
) -> None:
    with pytest.raises(genlab.ArgumentError, match=rf"{argument}: expected a list, got '{given}'; write \['{given}'\]"):
        call(tiny, **{argument: given})


def test_overrides_that_are_no_texts_are_refused(tiny: Path) -> None:
    with pytest.raises(genlab.ArgumentError, match=r"overrides\[0\]: expected str, got 1"):
        genlab.check(tiny, overrides=[1])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("call", "old", "new"),
    [
        (genlab.train, "set", "overrides"),
        (genlab.check, "set", "overrides"),
        (genlab.ablate, "set", "overrides"),
        (genlab.ablate, "tell", "on_event"),
        (genlab.probe, "tell", "on_progress"),
    ],
)
def test_an_argument_by_its_old_name_is_an_error_with_the_new_one(
    call: Callable[..., object], old: str, new: str
) -> None:
    with pytest.raises(
        genlab.ArgumentError, match=f"the argument `{old}` of {call.__name__}\\(\\) is called `{new}` now"
    ):
        call("tiny", **{old: ()})


@pytest.mark.parametrize(
    ("call", "argument", "least"),
    [
        (genlab.train, "stop_at", 1),
        (genlab.ablate, "jobs", 1),
        (genlab.bench, "rounds", 2),
    ],
)
def test_numbers_that_are_too_small_are_refused_before_anything_is_read(
    call: Callable[..., object], argument: str, least: int
) -> None:
    with pytest.raises(
        genlab.ArgumentError, match=f"{argument}: expected an integer of at least {least}, got {least - 1}"
    ):
        call("nowhere", **{argument: least - 1})


def test_a_device_that_there_is_not_is_an_error(run: genlab.Run) -> None:
    with pytest.raises(DeviceError, match="expected a device of auto, cuda, mps, cpu, got 'xpu9'"):
        genlab.open_run(run.path, device="xpu9")


def test_paths_begin_at_home_where_they_say_so(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = genlab.train(tiny, overrides=["train.steps=1"], out="~/mine")
    assert run.path == tmp_path / "mine"
    assert genlab.open_run("~/mine").step == 1


def test_a_run_can_be_opened_from_its_folder_alone(run: genlab.Run, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "with a space"
    moved.parent.mkdir()
    run.path.rename(moved)
    opened = genlab.open_run(moved)
    assert opened.manifest.status == "finished"
    assert opened.metrics.keys() == {"validation/l1", "train/l1", "gap/l1"}
    assert opened.recipe.settings.train.steps == 4
    assert opened.generator.training is False


def test_the_loaded_generator_gives_the_picture_of_the_last_preview(run: genlab.Run) -> None:
    grid = np.asarray(Image.open(run.path / "previews" / "000004.png"))
    pairs = build(run.recipe, load_recipe(run.folder.recipe_path)).experiment.validation
    condition = SideView(pairs.sides.condition).picture(to_network(pairs[0].condition[None], pairs.sides.condition)[0])
    prediction = run.predict(condition, size="stored")
    prediction = prediction.repeat(3, axis=0).repeat(3, axis=1)  # so small pictures are shown enlarged
    height, width, _ = prediction.shape
    rows, columns = (grid == prediction[0, 0]).all(axis=2).nonzero()
    windows = (grid[row : row + height, column : column + width] for row, column in zip(rows, columns, strict=True))
    assert any(np.array_equal(window, prediction) for window in windows), "the very pixels stand in the preview"


@pytest.mark.parametrize(
    ("stored", "size", "predicted"),
    [
        ((36, 36), "training", (32, 32)),
        ((72, 18), "training", (64, 16)),
        ((1, 1), "training", (1, 1)),
        ((32, 32), "stored", (32, 32)),
        ((1, 1), "stored", (1, 1)),
        ((17, 50), "stored", (17, 50)),
        ((17, 50), 20, (20, 20)),
        ((17, 50), (70, 33), (70, 33)),
    ],
)
def test_predicting_takes_any_size(
    run: genlab.Run, stored: tuple[int, int], size: genlab.PredictionSize, predicted: tuple[int, int]
) -> None:
    """The tiny run's pairs are stored at 36 pixels, and its networks see 32."""
    image = np.random.default_rng(0).integers(0, 256, (*stored, 3), dtype=np.uint8)
    assert run.predict(image, size=size).shape == (*predicted, 3)


@pytest.mark.parametrize("size", [0, (32, 0), -5, "big"])
def test_a_size_that_is_none_is_refused(run: genlab.Run, size: Any) -> None:
    with pytest.raises(genlab.ArgumentError, match="size: expected"):
        run.predict(np.zeros((32, 32, 3), np.uint8), size=size)


def test_predicting_refuses_other_channels(run: genlab.Run) -> None:
    with pytest.raises(DataError, match="expected 3 channels"):
        run.predict(np.zeros((32, 32, 2), np.uint8))
    with pytest.raises(DataError, match="expected values of uint8, as in training, got float32"):
        run.predict(np.zeros((32, 32, 3), np.float32))


def test_gray_is_predicted_as_equal_colors(run: genlab.Run) -> None:
    gray = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32, 1)
    np.testing.assert_array_equal(run.predict(gray), run.predict(np.repeat(gray, 3, axis=2)))


def test_the_manifest_tells_how_the_run_came_to_be(run: genlab.Run) -> None:
    manifest = json.loads((run.path / "run.json").read_text())
    assert manifest["versions"]["torch"] == torch.__version__
    assert manifest["plugins"] == {"genlab": genlab.__version__}
    assert manifest["data"]["source"] == "drawn_facades"
    assert len(manifest["data"]["fingerprints"]["train"]) == 64
    assert manifest["command"]
    assert manifest["step"] == manifest["steps"] == 4


def test_the_resolved_recipe_runs_again_to_the_same_result(run: genlab.Run, tmp_path: Path) -> None:
    again = genlab.train(run.folder.recipe_path, out=tmp_path / "again")
    assert again.metrics == run.metrics
    assert (again.path / "recipe.toml").read_text() == (run.path / "recipe.toml").read_text()


def test_an_existing_folder_is_refused_before_anything_else_happens(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RunError, match="already exists"):
        genlab.train(tiny, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_a_fault_leaves_no_folder_behind(tiny: Path, tmp_path: Path) -> None:
    for setting, error in (("input.size=33", RecipeError), ("data={name='side_by_side', root='nowhere'}", DataError)):
        with pytest.raises(error):
            genlab.train(tiny, overrides=[setting], out=tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_resumed(run: genlab.Run) -> None:
    with pytest.raises(RunError, match="has finished: all 4 steps"):
        genlab.resume(run.path)


def test_a_pause_behind_the_steps_that_are_done_is_refused(tiny: Path, tmp_path: Path) -> None:
    genlab.train(tiny, out=tmp_path / "run", stop_at=3)
    with pytest.raises(RunError, match="the run is at step 3"):
        genlab.resume(tmp_path / "run", stop_at=3)


def test_resuming_with_other_data_is_refused(tiny: Path, tmp_path: Path, make_pairs: Callable[..., Path]) -> None:
    data = f"data={{name='side_by_side', root='{make_pairs()}'}}"
    genlab.train(tiny, overrides=[data], out=tmp_path / "run", stop_at=3)
    make_pairs(seed=1)
    with pytest.raises(RunError, match="changed since the run started: the training pairs"):
        genlab.resume(tmp_path / "run")


def test_a_run_whose_checkpoints_are_missing_says_so(tiny: Path, tmp_path: Path) -> None:
    run = genlab.train(tiny, out=tmp_path / "run", stop_at=3)
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(RunError, match="its checkpoints are missing: there was one of step 3"):
        genlab.resume(run.path)
    with pytest.raises(RunError, match="no checkpoint yet"):
        _ = genlab.open_run(run.path).generator


KILLER = """
import os, signal
import genlab

class Killer(genlab.Listener):
    def step(self, event):
        if event.step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

@genlab.hookimpl
def genlab_register(registry):
    registry.listener("killer", Killer)
"""


def killed(python: list[str], tiny: Path, out: Path, *assignments: str) -> None:
    """Train in another process, which is killed at its seventh step without a word."""
    plugin = out.parent / "killer.py"
    plugin.write_text(KILLER)
    given = ["listeners.killer={}", *assignments]
    call = (
        f"import genlab; genlab.train({str(tiny)!r}, out={str(out)!r}, overrides={given!r}, plugins=[{str(plugin)!r}])"
    )
    done = subprocess.run([*python, "-c", call], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (out / "plugins" / "killer.py").write_text(KILLER.replace("event.step == 7", "False"))
    edit_manifest(out, plugin_files=None)


def test_a_run_that_was_killed_tells_how_far_it_came_and_goes_on_to_the_same_end(
    python: list[str], tiny: Path, tmp_path: Path
) -> None:
    killed(python, tiny, tmp_path / "run", "checkpoint.minutes=0.000001")
    run = genlab.open_run(tmp_path / "run", trust=True)
    assert (run.manifest.status, run.manifest.step) == ("interrupted", 6)
    assert run.metrics.keys() == {"validation/l1", "train/l1", "gap/l1"}
    assert run.generator
    resumed = genlab.resume(tmp_path / "run", trust=True)
    assert (resumed.manifest.status, resumed.manifest.failure) == ("finished", None)
    assert resumed.metrics == genlab.train(tiny, out=tmp_path / "whole").metrics


def test_going_on_with_another_version_is_told(tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = genlab.train(tiny, out=tmp_path / "run", stop_at=3)
    run.folder.update(versions={**run.manifest.versions, "torch": "2.11.0"})
    with caplog.at_level(logging.WARNING, "genlab"):
        genlab.resume(tmp_path / "run", stop_at=4)
        genlab.train(tiny, out=tmp_path / "other", stop_at=3)
        genlab.resume(tmp_path / "other", stop_at=4)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"The run started with torch 2.11.0, now {torch.__version__}: ")


def test_checking_finds_what_only_constructing_shows(tiny: Path) -> None:
    genlab.check(tiny)
    with pytest.raises(RecipeError, match="takes multiples of"):
        genlab.check(tiny, overrides=["input.size=33"])
    with pytest.raises(RecipeError, match="at least one loss of the generator needs a weight above 0"):
        genlab.check(tiny, overrides=["losses.l1.weight=0", "losses.adversarial.weight=0"])


def test_the_callers_random_numbers_go_on_as_if_nothing_had_been(python: list[str], tiny: Path, tmp_path: Path) -> None:
    """In a process without the checks of shapes, which draw from Python's generator themselves."""
    script = f"""
import random
import genlab, numpy as np, torch

def draws():
    return torch.rand(()).item(), random.random(), float(np.random.rand())

def seed():
    torch.manual_seed(5), random.seed(5), np.random.seed(5)

seed()
expected = draws()
seed()
run = genlab.train({str(tiny)!r}, overrides=["train.steps=2"], out="run")
run.predict(np.zeros((32, 32, 3), np.uint8))
assert draws() == expected
"""
    done = subprocess.run([*python, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


NAN = """
import genlab

class NoNumber(genlab.Metric):
    higher_is_better = False
    def reset(self): pass
    def update(self, condition, target, prediction): pass
    def merge(self, other): pass
    def compute(self): return float("nan")

@genlab.hookimpl
def genlab_register(registry):
    registry.metric("no_number", NoNumber)
"""


def test_a_metric_that_is_no_number_costs_nothing_else(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "nan.py").write_text(NAN)
    more = {"overrides": ["evaluate.metrics.no_number={}"], "plugins": [tmp_path / "nan.py"]}
    genlab.train(tiny, out=tmp_path / "run", stop_at=4, **more)
    resumed = genlab.resume(tmp_path / "run")
    assert resumed.manifest.status == "finished"
    assert np.isnan(genlab.open_run(tmp_path / "run").metrics["validation/no_number"])
    assert resumed.predict(np.zeros((36, 36, 3), np.uint8)).shape == (32, 32, 3)


def test_a_resumed_run_that_measures_nothing_new_keeps_its_metrics(tiny: Path, tmp_path: Path) -> None:
    first = genlab.train(tiny, out=tmp_path / "run", stop_at=4)
    assert first.metrics
    assert genlab.resume(tmp_path / "run", stop_at=5).metrics == first.metrics


def test_plugins_may_lie_in_the_home_folder(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "nan.py").write_text(NAN)
    run = genlab.train(tiny, out=tmp_path / "run", plugins=["~/nan.py"], stop_at=1)
    assert (run.path / "plugins" / "nan.py").read_text() == NAN


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_files_of_one_pixel_keep_their_size(run: genlab.Run, tmp_path: Path, shape: tuple[int, int]) -> None:
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(tmp_path / "thin.png")
    written = genlab.predict_files(run.path, [tmp_path / "thin.png"], tmp_path / "out", size="stored")[
        tmp_path / "thin.png"
    ]
    with Image.open(written) as image:
        assert (image.mode, image.size) == ("RGB", shape[::-1])
