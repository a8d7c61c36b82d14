"""Small and large versions of images."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import genlab
import numpy as np
import pytest
from genlab import DataError, Dataset, ImageSide, LabelSide, Pairs, Side, Split
from genlab.testing import DatasetSuite, MemoryPairs

from genlab_super_resolution.small_and_large import SmallAndLarge

RECIPE = Path(__file__).parents[1] / "recipe.toml"


class Noise(Dataset):
    """Three pairs of 13 x 9 pixels: side a an image of a type, side b a map of two classes."""

    def __init__(self, dtype: Literal["uint8", "uint16", "float32"] = "uint8") -> None:
        self.dtype = np.dtype(dtype)

    def open(self, split: Split) -> Pairs:
        random = np.random.default_rng(len(split))
        a = [random.uniform(0, 256, (13, 9, 2)).astype(self.dtype) for _ in range(3)]
        b = [random.integers(0, 2, (13, 9), dtype=np.uint8) for _ in range(3)]
        image = ImageSide(channels=2, range=(0, 255) if self.dtype.kind == "f" else None)
        sides: tuple[Side, Side] = (image, LabelSide(((0, 0, 0), (255, 255, 255))))
        return MemoryPairs(a, b, sides)


class TestSmallAndLarge(DatasetSuite):
    component = SmallAndLarge
    settings: ClassVar[Mapping[str, Any]] = {"source": Noise(), "size": 4, "scale": 2}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_small_pixel_is_the_mean_of_those_it_stands_for(dtype: Literal["uint8", "uint16", "float32"]) -> None:
    source = Noise(dtype).open("train")[1].a
    pair = SmallAndLarge(source=Noise(dtype), size=3, scale=3).open("train")[1]
    assert np.array_equal(pair.b, source[2:11, :9])
    assert pair.a.shape == (3, 3, 2)
    assert pair.a.dtype == dtype
    assert pair.a[2, 1, 0] == pytest.approx(source[8:11, 3:6, 0].mean(), abs=1e-3 if dtype == "float32" else 0.5)


@pytest.mark.parametrize(("settings", "what"), [({"side": "b"}, "side b"), ({"size": 10, "scale": 1}, "10 pixels")])
def test_what_cannot_be_made_smaller_is_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError, match=what):
        SmallAndLarge(source=Noise(), **settings).open("train")[0]


def test_other_pairs_have_other_fingerprints() -> None:
    settings: list[dict[str, Any]] = [{"size": 2, "scale": 2}, {"size": 3, "scale": 2}, {"size": 2, "scale": 3}]
    pairs = [SmallAndLarge(source=Noise(), **given).open("train") for given in settings]
    assert len({each.fingerprint() for each in pairs}) == 3


def test_the_choice_of_its_source_is_its_own(tmp_path: Path) -> None:
    sources = '[{name="two_folders", root="nowhere"}, {name="drawn_facades", size=96, count=4, validation_count=2}]'
    overrides = ["train.steps=1", f"data.source={{name='first_available', sources={sources}}}"]
    genlab.train(RECIPE, overrides=overrides, out=tmp_path / "run")
    data = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text())["data"]
    assert data["source"]["name"] == "genlab:drawn_facades"
