"""A run is read from its last checkpoint, its best, or that of a step; a missing one is refused with what is there."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.conftest import GenCommand, Once
from tests.core.runs.scripted import train_with_choices

import genlab
from genlab import RunError
from genlab.engine.checkpoint_files import checkpoints

IMAGE = np.random.default_rng(0).integers(0, 256, (36, 36, 3), dtype=np.uint8)


@pytest.fixture
def run(tiny: Path, tmp_path: Path, once: Once) -> Path:
    """A run with checkpoints of the steps 2 (the best), 7, and 8."""
    return Path(shutil.copytree(once("choices", partial(train_with_choices, tiny)) / "run", tmp_path / "run"))


def opened(run: Path, choice: Any) -> genlab.Run:
    return genlab.open_run(run, checkpoint=choice, trust=True)


def checkpoint(run: Path, step: int) -> Path:
    return run / "checkpoints" / f"{step:08d}"


def test_each_choice_has_its_own_weights_step_and_metrics(run: Path) -> None:
    assert [opened(run, choice).step for choice in ("last", "best", 2, 7, 8)] == [8, 2, 2, 7, 8]
    last, best, second = (opened(run, choice) for choice in ("last", "best", 2))
    predictions = [each.predict(IMAGE) for each in (last, best, second)]
    assert np.array_equal(predictions[1], predictions[2])
    assert not np.array_equal(predictions[0], predictions[1])
    assert best.fingerprint() == second.fingerprint() != last.fingerprint()
    assert (best.metrics["validation/told"], last.metrics["validation/told"]) == (0.6, 0.3)
    assert last.step == genlab.open_run(run, trust=True).step


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (99, "there is no checkpoint of step 99"),
        (0, "of step 0"),
        (-1, "of step -1"),
        (2**80, "of step 12089258196"),
    ],
)
def test_a_missing_one_is_refused_with_those_that_are_there(run: Path, choice: int, words: str) -> None:
    with pytest.raises(RunError, match=words) as caught:
        opened(run, choice)
    assert caught.value.hint == "Its checkpoints, by step: 8 (last), 7, 2 (best)."
    assert str(run) in str(caught.value)


def test_a_run_without_a_best_says_why(run: Path) -> None:
    for path in checkpoints(run / "checkpoints"):
        state = json.loads((path / "state.json").read_text())
        (path / "state.json").write_text(json.dumps({**state, "best": None, "sha256": None}))
    with pytest.raises(RunError, match="the run has no best checkpoint") as caught:
        opened(run, "best")
    assert caught.value.hint is not None
    assert "no `checkpoint.best`" in caught.value.hint
    assert "by step: 8 (last), 7, 2." in caught.value.hint


def test_a_best_that_was_removed_is_refused(run: Path) -> None:
    shutil.rmtree(checkpoint(run, 2))
    with pytest.raises(RunError, match="no checkpoint of step 2, which was the best"):
        opened(run, "best")
    assert opened(run, "last").step == 8


@pytest.mark.parametrize("file", ["generator.safetensors", "state.json"])
def test_a_damaged_best_is_refused_and_no_other_is_taken(run: Path, file: str) -> None:
    (checkpoint(run, 2) / file).write_bytes(b"{}")
    with pytest.raises(RunError, match=rf"{file}") as caught:
        opened(run, "best").predict(IMAGE)
    assert "00000002" in str(caught.value)
    assert "--checkpoint last" in str(caught.value)
    assert opened(run, "last").step == 8


def test_the_best_is_found_beside_a_damaged_last_one(run: Path) -> None:
    (checkpoint(run, 8) / "state.json").write_bytes(b"")
    assert opened(run, "best").step == 2
    assert opened(run, "last").step == 7


@pytest.mark.parametrize("choice", ["bset", "8", 1.0, True, None])
def test_what_is_no_choice_is_refused(run: Path, choice: object) -> None:
    with pytest.raises(genlab.ArgumentError, match="checkpoint: expected 'last' or 'best' or int"):
        opened(run, choice)


def test_the_option_of_predict_and_probe(run: Path, gen: GenCommand, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(IMAGE).save(photo)
    written = {}
    for choice in ("last", "best", "2"):
        done = gen("predict", run, photo, "--out", tmp_path / choice, "--checkpoint", choice, "--trust")
        assert done.returncode == 0, done.stderr
        written[choice] = (tmp_path / choice / "photo.png").read_bytes()
    assert written["best"] == written["2"] != written["last"]
    missing = gen("predict", run, photo, "--out", tmp_path / "out", "--checkpoint", "99", "--trust")
    assert missing.returncode == 2
    assert "Its checkpoints, by step: 8 (last), 7, 2 (best)." in " ".join(missing.stderr.split())
    wrong = gen("probe", run, "--checkpoint", "bset")
    assert wrong.returncode == 2
    assert 'expected "last", "best" or a number of steps, got "bset"' in " ".join(wrong.stderr.split())


def test_probes_of_several_checkpoints_lie_side_by_side(run: Path, gen: GenCommand) -> None:
    probed = gen("probe", run, "--pairs", "2", "--checkpoint", "best", "--trust")
    assert probed.returncode == 0, probed.stderr
    assert str(run / "probe" / "best" / "skips.svg") in probed.stdout.replace("\n", "")
    for choice in ("last", 7):
        genlab.probe(run, pairs=2, checkpoint=choice, trust=True)
    for place, step in ((".", 8), ("best", 2), ("step-7", 7)):
        results = run / "probe" / place
        assert json.loads((results / "probe.json").read_text())["step"] == step
        assert (results / "cut.png").is_file()
