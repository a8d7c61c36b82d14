"""Several predictions of each image, and maps of their spread."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import GenCommand
from tests.core.tools.class_recipe import CLASSES
from tests.core.tools.drawn_run import TINY, drawn_run as drawn_run
from torch import Tensor

import genlab
from genlab import ImageSource, read_image
from genlab.tools.drawn_predictions import draw_image, is_drawn
from genlab.tools.spread import deviation_of_images, disagreement_of_classes, spread_map

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="module")
def judge_with_dropout(once: Once) -> Path:
    """The run of a method that predicts classes, with dropout."""
    given = ["train.steps=1", "inference.dropout=true", *CLASSES]
    return once("judge-with-dropout", lambda folder: genlab.train(TINY, overrides=given, out=folder))


@pytest.fixture(scope="module")
def undrawn_run(once: Once) -> Path:
    """A run that predicts without dropout."""
    return once("undrawn-run", lambda folder: genlab.train(TINY, overrides=["train.steps=1"], out=folder))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "images" / "photo.png"
    path.parent.mkdir()
    Image.new("RGB", (36, 36), (255, 0, 0)).save(path)
    return path


def test_samples_are_drawn_by_successive_seeds_and_their_spread_is_told(
    drawn_run: Path, gen: GenCommand, tmp_path: Path, image: Path
) -> None:
    done = gen("predict", drawn_run, image, "--samples", "3", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["written"][str(image)]
    assert files["samples"] == [f"out/photo.{number}.png" for number in (1, 2, 3)]
    assert files["spread"] == "out/photo.spread.png"
    run = genlab.open_run(drawn_run)
    expected = [run.predict(read_image(ImageSource.of(image)), seed=seed) for seed in (0, 1, 2)]
    written = [read_image(ImageSource.of(tmp_path / path)) for path in files["samples"]]
    np.testing.assert_array_equal(written, expected)
    by_hand = np.std(np.stack(written).astype(np.float64) / 255, axis=0, ddof=1).mean(axis=2)
    assert files["mean_spread"] == pytest.approx(by_hand.mean())
    assert by_hand.max() > 0
    shown = read_image(ImageSource.of(tmp_path / "out" / "photo.spread.png"))[..., 0]
    np.testing.assert_array_equal(shown, (by_hand * 1020).round().clip(0, 255))
    assert f"mean spread is {100 * by_hand.mean():.2f}%" in done.stderr


def test_samples_of_a_run_s_own_pairs(drawn_run: Path, tmp_path: Path) -> None:
    written = genlab.sample_pairs(drawn_run, tmp_path, samples=2, split="test")
    assert [*written] == ["test-00000", "test-00001"]
    assert written["test-00001"].samples == (tmp_path / "test-00001.1.png", tmp_path / "test-00001.2.png")
    with pytest.raises(genlab.StorageError, match="5 more already exist"):
        genlab.sample_pairs(drawn_run, tmp_path, samples=2, split="test")


@pytest.mark.parametrize("taken", ["photo.2.png", "photo.spread.png"])
def test_all_names_are_checked_before_the_first_prediction(
    drawn_run: Path, tmp_path: Path, image: Path, taken: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / taken).touch()
    with pytest.raises(genlab.StorageError, match=taken):
        genlab.sample_files(drawn_run, [image], tmp_path / "out", samples=2)
    assert len([*(tmp_path / "out").iterdir()]) == 1
    Image.new("RGB", (36, 36)).save(image.parent / taken)
    with pytest.raises(genlab.DataError, match="would take the place of this image") as caught:
        genlab.sample_files(drawn_run, [image.parent], image.parent, samples=2, overwrite=True)
    assert caught.value.where == str(image.parent / taken)


def test_two_images_of_one_name_are_refused(drawn_run: Path, tmp_path: Path, image: Path) -> None:
    Image.new("RGB", (36, 36)).save(image.with_suffix(".jpg"))
    with pytest.raises(genlab.DataError, match=r"photo\.1\.png"):
        genlab.sample_files(drawn_run, [image.parent], tmp_path / "out", samples=2)
    assert not (tmp_path / "out").exists()


def test_a_file_that_fails_does_not_stop_the_others(drawn_run: Path, tmp_path: Path, image: Path) -> None:
    (broken := image.parent / "a.png").write_bytes(b"no image")
    with pytest.raises(genlab.PredictionError) as caught:
        genlab.sample_files(drawn_run, [image.parent], tmp_path / "out", samples=2)
    assert [*caught.value.failures] == [broken]
    assert caught.value.written[image].spread == tmp_path / "out" / "photo.spread.png"


def test_a_warning_of_an_image_is_told_once(
    drawn_run: Path, tmp_path: Path, image: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.new("RGB", (36, 36), (7, 7, 7)).save(image)
    with caplog.at_level(logging.WARNING, "genlab"):
        genlab.sample_files(drawn_run, [image], tmp_path / "out", samples=2)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        ((), "Train with inference.dropout = true"),
        (("generator.dropout_blocks=[]", "inference.dropout=true"), "generator that has dropout"),
    ],
)
def test_samples_that_would_all_be_one_are_refused(
    undrawn_run: Path, tmp_path: Path, image: Path, overrides: tuple[str, ...], hint: str
) -> None:
    run = undrawn_run
    if overrides:
        run = genlab.train(TINY, overrides=["train.steps=1", *overrides], out=tmp_path / "run").path
    with pytest.raises(genlab.RunError, match=r"would be the same.* pix2pix draws nothing") as caught:
        genlab.sample_files(run, [image], tmp_path / "out", samples=2)
    assert caught.value.where == str(run)
    assert hint in str(caught.value.hint)
    assert not (tmp_path / "out").exists()


def test_predictions_whose_last_bits_vary_are_not_taken_for_drawn_ones(
    undrawn_run: Path, drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where sums are added in any order."""
    bits, apply = np.random.default_rng(0), genlab.Run.apply

    def vary(run: genlab.Run, *given: Any, **settings: Any) -> Tensor:
        return apply(run, *given, **settings) + 1e-6 * bits.random()

    monkeypatch.setattr(genlab.Run, "apply", vary)
    undrawn, drawn = (genlab.open_run(folder, device="cpu") for folder in (undrawn_run, drawn_run))
    assert not torch.equal(*(undrawn.apply(draw_image(undrawn, None)) for _ in range(2)))
    assert (is_drawn(undrawn, None), is_drawn(drawn, None)) == (False, True)


@pytest.mark.parametrize("samples", [0, 1, 101])
def test_a_number_of_samples_that_makes_no_sense(drawn_run: Path, tmp_path: Path, samples: int) -> None:
    with pytest.raises(genlab.ArgumentError, match=f"from 2 to 100, got {samples}"):
        genlab.sample_files(drawn_run, [], tmp_path / "out", samples=samples)


def test_samples_of_classes_disagree(judge_with_dropout: Path, tmp_path: Path) -> None:
    written = genlab.sample_pairs(judge_with_dropout, tmp_path, samples=3)
    files = next(iter(written.values()))
    samples = np.stack([np.asarray(Image.open(path)) for path in files.samples])
    agreeing = np.array([[np.bincount(pixel).max() for pixel in row] for row in samples.transpose(1, 2, 0)])
    shown = np.asarray(Image.open(files.spread))
    np.testing.assert_array_equal(shown, ((1 - agreeing / 3) * 255).round())
    assert files.mean_spread == pytest.approx((1 - agreeing / 3).mean())
    assert agreeing.min() < 3


def test_a_spread_is_a_share_of_the_range_whatever_the_type() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.integers(0, 4096, (5, 6, 2)).astype(np.uint16) for _ in range(4)]
    found = deviation_of_images(samples, (0, 4095))
    np.testing.assert_allclose(found, np.std(np.stack(samples) / 4095, axis=0, ddof=1).mean(axis=2))
    assert deviation_of_images([samples[0]] * 4, (0, 4095)).max() == 0
    ends = [np.full((1, 1, 1), value, np.uint8) for value in (0, 255)]
    assert spread_map(deviation_of_images(ends, (0, 255)), of_classes=False) == 255


def test_classes_that_most_samples_share() -> None:
    samples = [np.array([[0, 1, 300]], np.uint16), np.array([[0, 1, 2]], np.uint16), np.array([[0, 2, 1]], np.uint16)]
    np.testing.assert_allclose(disagreement_of_classes(samples), [[0, 1 / 3, 2 / 3]])
