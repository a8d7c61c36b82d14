"""An image and itself, as super-resolution needs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genlab
from genlab import ImageSide, LabelSide, SideName
from genlab_facades.drawn_facades import DrawnFacades
from genlab_images.one_side import OneSide


@pytest.mark.parametrize(("side", "kind"), [("a", ImageSide), ("b", LabelSide)])
def test_both_sides_are_the_one_that_is_taken(side: SideName, kind: type) -> None:
    facades = DrawnFacades(count=2, size=40)
    pairs, source = OneSide(source=facades, side=side).open("train"), facades.open("train")
    assert isinstance(pairs.a, kind)
    assert pairs.a == pairs.b
    for pair, other in zip(pairs, source, strict=True):
        assert pair.key == other.key
        np.testing.assert_array_equal(pair.a, getattr(other, side))
        np.testing.assert_array_equal(pair.b, pair.a)


def test_a_file_is_read_as_one_of_that_side(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4), (9, 8, 7)).save(tmp_path / "photo.png")
    dataset = OneSide(source=DrawnFacades(), side="a")
    assert dataset.read(tmp_path / "photo.png", "b").tolist() == [[[9, 8, 7]] * 5] * 4


def test_a_target_is_larger_than_its_condition_by_the_scale(tiny: Path, tmp_path: Path) -> None:
    recipe = [
        'data={name="one_side", source={name="drawn_facades", count=3, validation_count=2, size=32}}',
        "input={size=8, scale=4}",
        "augment.jitter=false",
        'generator={name="resnet", blocks=1, channels=4, scale=4}',
        "losses.adversarial=false",
        "train.steps=1",
    ]
    run = genlab.train(tiny, overrides=recipe, out=tmp_path / "run")
    pair = run.validation_pairs()[0]
    assert (pair.condition.shape[-2:], pair.target.shape[-2:]) == ((8, 8), (32, 32))
