"""Predictions for a run's own pairs, which are no files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import GenCommand
from tests.core.tools.drawn_run import drawn_run as drawn_run
from tests.manifests import edit_manifest, read_manifest

import genlab
from genlab import ImageSource, read_image
from genlab.tools.prediction_pairs import file_name


def test_drawn_pairs_are_predicted_as_they_are_stored(drawn_run: Path, gen: GenCommand, tmp_path: Path) -> None:
    done = gen("predict", drawn_run, "--split", "validation", "--out", "out", "--size", "stored", "--json")
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)["written"]
    run = genlab.open_run(drawn_run)
    pairs = run.validation_pairs().pairs
    assert len(written) == len(pairs) == 3
    for pair in pairs:
        assert Path(written[pair.key]).stem == pair.key
        predicted = read_image(ImageSource.of(tmp_path / written[pair.key]))
        np.testing.assert_array_equal(predicted, run.predict(pair.b, size="stored"))


def test_predictions_are_named_and_not_replaced(drawn_run: Path, tmp_path: Path) -> None:
    counted: list[int] = []
    written = genlab.predict_pairs(drawn_run, tmp_path, on_progress=lambda done, _total: counted.append(done))
    assert counted == [1, 2, 3]
    with pytest.raises(genlab.StorageError, match="this file and 2 more already exist"):
        genlab.predict_pairs(drawn_run, tmp_path)
    assert genlab.predict_pairs(drawn_run, tmp_path, overwrite=True) == written


@pytest.mark.parametrize("words", [("--out", "out"), ("a.png", "--split", "validation", "--out", "out")])
def test_either_images_or_a_split_is_given(
    drawn_run: Path, gen: GenCommand, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = gen("predict", drawn_run, *words)
    assert done.returncode == 2
    assert "either images or --split" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_test_split_is_predicted_where_there_is_one(drawn_run: Path, gen: GenCommand, tmp_path: Path) -> None:
    done = gen("predict", drawn_run, "--split", "test", "--out", "out")
    assert done.stdout.split() == ["out/test-00000.png", "out/test-00001.png"], done.stderr
    run = genlab.open_run(drawn_run)
    predicted = read_image(ImageSource.of(tmp_path / "out" / "test-00001.png"))
    np.testing.assert_array_equal(predicted, run.predict(run.test_pairs().pairs[1].b))


def test_a_split_that_the_data_do_not_have(tmp_path: Path, tiny: Path) -> None:
    run = genlab.train(tiny, overrides=["train.steps=1", "data.test_count=0"], out=tmp_path / "run")
    with pytest.raises(genlab.DataError, match="no split test, but train and validation") as caught:
        genlab.predict_pairs(run.path, tmp_path / "out", split="test")
    assert caught.value.where == str(run.path)
    assert not (tmp_path / "out").exists()


def test_changed_data_and_other_splits_are_refused(drawn_run: Path, tmp_path: Path) -> None:
    with pytest.raises(genlab.ArgumentError, match="split: expected 'validation' or 'test'"):
        genlab.predict_pairs(drawn_run, tmp_path / "out", split="other")  # pyright: ignore[reportArgumentType]
    shutil.copytree(drawn_run, tmp_path / "run")
    data = read_manifest(drawn_run)["data"]
    data["fingerprints"]["validation"] = "0" * 64
    edit_manifest(tmp_path / "run", data=data)
    with pytest.raises(genlab.DataError, match="validation data has changed"):
        genlab.predict_pairs(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_seed_draws_another_dropout(drawn_run: Path) -> None:
    run = genlab.open_run(drawn_run)
    label = run.validation_pairs().pairs[0].b
    first, again, other = (run.predict(label, seed=seed) for seed in (None, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("key", ["1", "train/7", "cmp_b0001", "München 2", "a.b"])
def test_a_plain_key_is_the_name(key: str) -> None:
    assert str(file_name(key)) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../../up",
        "/etc/passwd",
        ".a",
        "a//b",
        "a:b",
        "a\\b",
        "CON",
        "nul.x",
        "a\n",
        "x" * 999,
        "é" * 400,
    ],
)
def test_any_other_key_gets_a_safe_name_of_its_own(key: str) -> None:
    name = file_name(key)
    assert not name.is_absolute()
    assert not any(part.startswith(".") or part.upper() in {"CON", "NUL"} for part in name.parts)
    assert not set(str(name)) & set(":\\\n")
    assert all(len(f"{part}.spread.png".encode()) <= 255 for part in name.parts)
    assert name != file_name(f"{key}.")
