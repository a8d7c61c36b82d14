"""Trainings on pairs of several sizes, which keep their aspect or are cropped as they are stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand

import genlab
from genlab import DataError, RecipeError

AUGMENTED = [
    "augment={jitter={amount=0.1}, flip={}, d4={}, affine={}, color={side='target'}}",
    "train.batch_size=2",
    "train.steps=4",
    "input.direction=a_to_b",
]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Side-by-side pairs of several sizes, each side a gradient with its negative."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        folder = tmp_path / "pairs" / split
        folder.mkdir(parents=True)
        for number in range(count):
            side = rng.integers(0, 256, (40 + 7 * number, 48, 3), dtype=np.uint8)
            Image.fromarray(np.hstack([side, 255 - side])).save(folder / f"{number}.png")
    return tmp_path / "pairs"


def data(pairs: Path) -> str:
    return f"data={{name='side_by_side', root='{pairs}'}}"


def test_four_steps_equal_three_a_pause_and_one_more(pairs: Path, tiny: Path, tmp_path: Path) -> None:
    """With random crops of images of several sizes, and all augmentations on."""
    values = [data(pairs), "input.resize=none", *AUGMENTED]
    whole = genlab.train(tiny, overrides=values, out=tmp_path / "whole")
    parts = genlab.train(tiny, overrides=values, out=tmp_path / "parts", stop_at=3)
    genlab.resume(parts.path)
    assert tensor_digests(parts.path) == tensor_digests(whole.path)


@pytest.mark.parametrize(
    ("how", "predicted"), [("stretch", (32, 32)), ("crop", (40, 32)), ("pad", (32, 26)), ("none", (80, 64))]
)
def test_validation_and_prediction_have_the_scale_of_training(
    how: str, predicted: tuple[int, int], pairs: Path, tiny: Path, tmp_path: Path
) -> None:
    values = [data(pairs), f"input.resize={how}", *AUGMENTED, "train.steps=1", "evaluate={previews=1, validations=1}"]
    run = genlab.train(tiny, overrides=values, out=tmp_path / "run")
    assert run.predict(np.zeros((80, 64, 3), np.uint8)).shape[:2] == predicted
    shown = run.validation_pairs()[1]
    assert shown.condition.shape == shown.target.shape == (3, 32, 32)


def test_images_that_are_too_small_are_named_before_a_training(pairs: Path, tiny: Path, tmp_path: Path) -> None:
    Image.new("RGB", (96, 30)).save(pairs / "train" / "small.png")
    values = [data(pairs), "input.resize=none", *AUGMENTED]
    with pytest.raises(DataError, match=r"small\.png, side a: it is 30 x 48, and crops of 35 x 35 are taken") as caught:
        genlab.train(tiny, overrides=values, out=tmp_path / "run")
    assert 'input.resize = "crop"' in caught.value.hint
    assert not (tmp_path / "run").exists()


def test_a_color_of_a_label_map_is_refused_at_its_line(tiny: Path, gen: GenCommand, tmp_path: Path) -> None:
    """The data of this recipe have labels as conditions."""
    recipe = Path(shutil.copy(tiny, tmp_path / "mine.toml"))
    recipe.write_text(f"{recipe.read_text()}\n[augment.color]\n")
    line = recipe.read_text().splitlines().index("[augment.color]") + 1
    done = gen("run", recipe, "--out", "run")
    assert done.returncode == 2
    assert f"mine.toml:{line}:" in done.stderr
    assert "the condition is a label map" in done.stderr.replace("\n", " ")
    assert gen("run", recipe, "--set", "augment.color.side=target", "--steps", "1", "--out", "run").returncode == 0


def test_a_size_that_cannot_be_turned_is_refused_before_data_are_read(tiny: Path) -> None:
    with pytest.raises(RecipeError, match="it turns square images, and these are 32 x 16"):
        genlab.check(tiny, overrides=["augment.d4={}", "input.size=[32, 16]"])


def test_an_old_key_is_told_its_new_lines(tiny: Path, gen: GenCommand, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(tiny.read_text().replace("size = 32\n", "size = 32\njitter = 0.125\nflip = true\n"))
    done = gen("check", recipe)
    assert done.returncode == 2
    assert "[augment.jitter]\namount = 0.125\n" in done.stderr
    assert "[augment.flip]\n" in done.stderr
    assert "Traceback" not in done.stderr
