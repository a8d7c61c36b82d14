"""Pictures of many bands and deep values, wherever they are shown, say what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import genlab
from genlab import DataError
from genlab.ablation.observations import Observations, read_pictures
from genlab.interfaces.listener import Previewed, Started
from genlab.testing.event_scripts import pictures

CAPTION = "bands 3 2 1 of 8, 0 to 10000"


@pytest.fixture
def overrides(tmp_path: Path) -> list[str]:
    """Settings for pairs of eight bands of 16 bits, whose bands 3, 2 and 1 are red, and gray floats."""
    for split in ("train", "val"):
        reflectance = np.zeros((32, 32, 8), np.uint16)
        reflectance[..., 2] = 10_000
        for side, array in (("A", reflectance), ("B", np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32))):
            (tmp_path / side / split).mkdir(parents=True)
            np.save(tmp_path / side / split / "1.npy", array)
    return [
        f"data={{name='two_folders', root='{tmp_path}'}}",
        "input.direction='a_to_b'",
        "input.range_a=[0, 10000]",
        "input.range_b=[0, 1]",
        "evaluate.preview_bands_a=[3, 2, 1]",
        "train.steps=1",
        "listeners={previews={}, tensorboard={}}",
    ]


def test_a_report_of_data_shows_them(tiny: Path, overrides: list[str]) -> None:
    shown = genlab.inspect_data(tiny, overrides=overrides).pictures
    assert list(shown)[:2] == [f"train: condition\n{CAPTION}", "train: target\n0 to 1"]
    assert (next(iter(shown.values())) == [255, 0, 0]).all()


def test_a_run_shows_them(tiny: Path, overrides: list[str], tmp_path: Path) -> None:
    run = genlab.train(tiny, overrides=overrides, out=tmp_path / "run")
    sheet = np.asarray(Image.open(run.path / "previews" / "000001.png"))
    assert (sheet == [255, 0, 0]).all(axis=2).sum() >= 96 * 96
    tags = EventAccumulator(str(run.path / "tensorboard")).Reload().Tags()["images"]
    assert tags == [f"preview (condition [{CAPTION}], prediction [0 to 1], target [0 to 1])/1"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("evaluate.preview_bands_a=9", "has band 9, and side a has 8"),
        ("evaluate.preview_bands_b=[3, 2, 1]", "has band 3, and side b has 1"),
    ],
)
def test_bands_that_are_not_there_are_refused_before_anything_is_trained(
    tiny: Path, overrides: list[str], tmp_path: Path, setting: str, words: str
) -> None:
    for action in (genlab.inspect_data, lambda *given, **more: genlab.train(*given, **more, out=tmp_path / "run")):
        with pytest.raises(DataError, match=words):
            action(tiny, overrides=[*overrides, setting])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["0", "[1, 2]", "[1, 2, 0]", "'rgb'"])
def test_bands_are_one_or_three_and_count_from_1(tiny: Path, value: str) -> None:
    with pytest.raises(genlab.RecipeError, match="preview_bands_a"):
        genlab.check(tiny, overrides=[f"evaluate.preview_bands_a={value}"])


def test_an_ablation_remembers_what_its_pictures_show(tmp_path: Path) -> None:
    listener = Observations()
    listener.started(Started(tmp_path, "", "", {}, 0, 1, 1))
    listener.previewed(Previewed(1, pictures()))
    found = read_pictures(tmp_path)
    assert found is not None
    assert (found.condition_caption, found.target_caption) == ("bands 4 3 2 of 8, 0 to 10000", "")
