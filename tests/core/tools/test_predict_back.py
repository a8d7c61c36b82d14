"""Predictions of the way back, and at a scale: a method whose predictions are negatives of known sizes and types."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.conftest import GenCommand

import genlab
from genlab import DataError, ImageSource, RunError, read_image

Once = Callable[[str, Callable[[Path], object]], Path]

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "assets" / "tiny.toml"
PLUGIN = ROOT / "tests" / "assets" / "both_ways.py"
METHOD = [
    "method={name='both_ways'}",
    "losses.adversarial=false",
    "losses.l1=false",
    "evaluate.metrics.l1=false",
    "train.steps=1",
]


def save(path: Path, array: NDArray[np.generic]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def colors(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Colored blocks."""
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return blocks.repeat(4, axis=0).repeat(4, axis=1)


def deep(height: int, width: int) -> NDArray[np.uint16]:
    """Gray of 12 bits in 16, from black to full intensity."""
    return np.linspace(0, 4095, height * width).astype(np.uint16).reshape(height, width)


def train(folder: Path) -> genlab.Run:
    """Colors of 32 x 48 on side a, seen at 16 x 24, and on side b deep gray of twice the size, likewise."""
    for split in ("train", "val"):
        for number in range(2):
            save(folder / "pairs/A" / split / f"{number}.png", colors(32, 48, number))
            save(folder / "pairs/B" / split / f"{number}.png", deep(64, 96))
    settings = ["input.direction='a_to_b'", "input.size=[16, 24]", "input.scale=2", "input.range_b=[0, 4095]"]
    data = f"data={{name='two_folders', root='{folder}/pairs'}}"
    overrides = [*METHOD, *settings, data, "generator={name='enlarging', scale=2}"]
    return genlab.train(TINY, overrides=overrides, plugins=[PLUGIN], out=folder / "run", trust=True)


@pytest.fixture(scope="session")
def folder(once: Once) -> Path:
    return once("predict-back", train)


@pytest.fixture
def run(folder: Path) -> genlab.Run:
    return genlab.open_run(folder / "run", trust=True)


def test_predictions_have_the_scale_the_type_and_the_range_of_the_target(run: genlab.Run) -> None:
    plain = np.full((32, 48, 3), 51, np.uint8)
    predicted = run.predict(plain)
    assert (predicted.shape, predicted.dtype) == ((32, 48, 1), np.uint16)
    assert np.abs(predicted - 0.8 * 4095).max() <= 1


def test_the_way_back_has_those_of_the_condition(run: genlab.Run) -> None:
    """An image of b is seen as training saw targets: at half of its stored size."""
    plain = np.full((64, 96, 1), 819, np.uint16)
    predicted = run.predict(plain, to="a")
    assert (predicted.shape, predicted.dtype) == ((16, 24, 3), np.uint8)
    assert np.unique(predicted).tolist() == [204]


@pytest.mark.parametrize(
    ("to", "stored", "size", "predicted"),
    [
        (None, (32, 48), "training", (32, 48)),
        ("b", (64, 32), "training", (64, 32)),
        ("b", (10, 13), "stored", (20, 26)),
        ("b", (32, 48), (9, 7), (18, 14)),
        ("a", (64, 96), "training", (16, 24)),
        ("a", (10, 13), "stored", (5, 7)),
        ("a", (64, 96), 8, (4, 4)),
    ],
)
def test_sizes_follow_the_scale(
    run: genlab.Run, to: genlab.SideName | None, stored: tuple[int, int], size: genlab.PredictionSize, predicted: object
) -> None:
    image = colors(64, 96)[: stored[0], : stored[1]] if to != "a" else deep(*stored)[..., None]
    assert run.predict(image, size=size, to=to).shape[:2] == predicted


def test_files_go_either_way(gen: GenCommand, folder: Path, tmp_path: Path) -> None:
    there = gen("predict", folder / "run", folder / "pairs/A/val", "--out", "b", "--json", "--trust")
    back = gen("predict", folder / "run", folder / "pairs/B/val/1.png", "--out", "a", "--to", "a", "--trust")
    assert (there.returncode, back.returncode) == (0, 0), there.stderr + back.stderr
    assert len(json.loads(there.stdout)["written"]) == 2
    assert "Predictions are those of images resized as in training: from 32 x 48 to 16 x 24 (2 images)" in there.stderr
    assert "may not be" not in back.stderr and "warning" not in back.stderr.lower()
    written = [read_image(ImageSource.of(tmp_path / name)) for name in ("b/0.png", "a/1.png")]
    assert [(image.shape, image.dtype.name) for image in written] == [((32, 48, 1), "uint16"), ((16, 24, 3), "uint8")]


def test_an_image_of_the_other_side_is_refused(run: genlab.Run) -> None:
    with pytest.raises(DataError, match="expected 1 channels"):
        run.predict(colors(32, 48), to="a")
    with pytest.raises(genlab.ArgumentError, match="to: expected a or b, got 'c'"):
        run.predict(colors(32, 48), to="c")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("to", ["a", "b"])
def test_warnings_are_those_of_the_side(run: genlab.Run, to: genlab.SideName, caplog: pytest.LogCaptureFixture) -> None:
    """Few gray values are unusual where images have colors, and a pair side by side on either side."""
    image = np.zeros((32, 96, 3), np.uint8) if to == "b" else np.zeros((64, 192, 1), np.uint16)
    with caplog.at_level(logging.WARNING, "genlab"):
        run.predict(image, to=to)
    assert ("few gray values" in caplog.text) == (to == "b")
    assert f"give the {'condition' if to == 'b' else 'target'} alone" in caplog.text


def test_a_method_without_a_way_back_says_so(gen: GenCommand, once: Once, tmp_path: Path) -> None:
    run = once("predict-no-way-back", lambda folder: genlab.train(TINY, out=folder, overrides=["train.steps=1"]))
    with pytest.raises(RunError, match='method "pix2pix" has no way back: it predicts a from b only') as caught:
        genlab.open_run(run).direction("b")
    assert "Leave out --to b" in (caught.value.hint or "")
    image = save(tmp_path / "photo.png", colors(32, 32))
    refused = gen("predict", run, image, "--to", "b", "--out", "out")
    assert refused.returncode == 2 and "no way back" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_the_way_back_to_labels_gives_their_colors(tmp_path: Path) -> None:
    """As a prediction of labels as images does."""
    generator = "generator={name='enlarging'}"
    run = genlab.train(TINY, overrides=[*METHOD, generator], plugins=[PLUGIN], out=tmp_path / "run")
    assert run.condition.classes
    predicted = run.predict(colors(36, 36), to="b")
    assert (predicted.shape, predicted.dtype) == ((32, 32, 3), np.uint8)
    labels = np.zeros((36, 36), np.uint8)
    assert run.predict(labels).shape == (32, 32, 3)


def test_pictures_and_facts_have_the_scale(folder: Path, run: genlab.Run) -> None:
    assert run.manifest.facts["input"].startswith("16 x 24 to 32 x 48, batch")
    pairs = run.validation_pairs()
    assert pairs[0].condition.shape[1:] == (16, 24) and pairs[0].target.shape[1:] == (32, 48)


def test_either_way_in_tiles_is_as_without_at_any_scale(run: genlab.Run) -> None:
    """The network of a factor of 2 needs multiples of 4, and the way back of 8."""
    image, target = colors(60, 84), deep(100, 76)[..., None]
    forth = genlab.choose_tiles(run, 24, 9)
    np.testing.assert_array_equal(run.predict(image, tiles=forth, size="stored"), run.predict(image, size="stored"))
    back = genlab.choose_tiles(run, 32, 9, to="a")
    assert (forth.overlap, back.overlap) == (12, 16)
    tiled, whole = (run.predict(target, to="a", tiles=tiles, size="stored") for tiles in (back, None))
    np.testing.assert_array_equal(tiled, whole)
    with pytest.raises(RunError, match="multiple of 8"):
        genlab.choose_tiles(run, 28, to="a")
