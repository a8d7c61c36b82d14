"""Runs on data of which some pixels do not count: photos and maps of two classes, a third of whose pixels have none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests
from tests.conftest import GenCommand

import genlab
from genlab import DataError, RecipeError, RunError

IGNORED = 255
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder of photos and of maps; the photos' noise at ignored pixels is of a seed of its own."""

    def make(name: str = "pairs", seed: int = 0) -> Path:
        noise, hidden = np.random.default_rng(0), np.random.default_rng(seed)
        for split, number in (("train", 0), ("train", 1), ("train", 2), ("val", 0), ("val", 1)):
            maps = np.kron(noise.choice(np.array([0, 1, IGNORED], np.uint8), (8, 8)), np.ones((4, 4), np.uint8))
            photo, other = (random.integers(0, 256, (32, 32, 3), dtype=np.uint8) for random in (noise, hidden))
            photo[maps == IGNORED] = other[maps == IGNORED]
            for side, image in (("A", photo), ("B", maps)):
                (tmp_path / name / side / split).mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(tmp_path / name / side / split / f"{number}.png")
        return tmp_path / name

    return make


def data(root: Path, ignore: int = IGNORED) -> str:
    return (
        f'data={{name="labels_from_values", values=2, ignore={ignore}, source={{name="two_folders", root="{root}"}}}}'
    )


def as_class(text: str) -> str:
    return text.replace(f"values=2, ignore={IGNORED}", f"values=[0, 1, {IGNORED}]")


ONE = ("train.steps=1", "evaluate.validations=1", "evaluate.previews=1")
SEGMENTATION = (
    "input.direction=a_to_b",
    "method.name=segmentation",
    "losses={adversarial=false, l1=false, cross_entropy={}}",
    "evaluate.metrics={l1=false, segmentation={}}",
)


def test_a_run_in_parts_equals_the_whole_with_a_cache_or_without(tiny, tmp_path, write, monkeypatch):
    overrides = [data(write()), *SEGMENTATION, "train.steps=4"]
    whole = genlab.train(tiny, overrides=overrides, out=tmp_path / "whole")
    genlab.train(tiny, overrides=overrides, out=tmp_path / "parts", stop_at=3)
    monkeypatch.setenv("GENLAB_CACHE", "off")
    assert genlab.resume(tmp_path / "parts").metrics == whole.metrics
    assert tensor_digests(tmp_path / "parts") == tensor_digests(tmp_path / "whole")
    assert all(np.isfinite(value) for value in whole.metrics.values())


def test_pictures_of_the_data_show_which_pixels_count(tiny, write):
    """Those that do not are in two grays, on maps of red and green."""
    data_of = data(write()).replace("values=2", "values=2, palette=[[255, 0, 0], [0, 255, 0]]")
    shown = genlab.inspect_data(tiny, overrides=[data_of, *SEGMENTATION, "augment.jitter=false"]).pictures
    assert len(shown) == 9, "condition, target and pixels that count, for training, augmented, and for validation"
    for head in ("train", "train, augmented", "validation"):
        target, counting = shown[f"{head}: target"], shown[f"{head}: pixels that count"]
        counts = (target == (255, 0, 0)).all(axis=-1) | (target == (0, 255, 0)).all(axis=-1)
        assert 0.5 < counts.mean() < 0.8
        assert np.array_equal(counting[counts], target[counts])
        assert {tuple(color) for color in counting[~counts].tolist()} == {(96, 96, 96), (160, 160, 160)}


@pytest.mark.parametrize("counts", [False, True], ids=["ignored", "a class"])
def test_what_a_photo_shows_at_ignored_pixels_has_no_part_in_the_training(tiny, tmp_path, write, counts):
    """Unless the value is a class: so the comparison can fail."""
    plain = ["losses.adversarial=false", "augment.jitter=false", "train.steps=2"]
    found = []
    for seed in (1, 2):
        text = data(write(f"pairs{seed}", seed))
        run = genlab.train(tiny, overrides=[as_class(text) if counts else text, *plain], out=tmp_path / f"run{seed}")
        found.append((tensor_digests(run.path)["generator.safetensors"], run.metrics))
    assert (found[0] == found[1]) is not counts


def test_previews_show_ignored_pixels_as_they_are(tiny, tmp_path, write):
    run = genlab.train(
        tiny, overrides=[data(write()), *SEGMENTATION, "listeners.previews={}", *ONE], out=tmp_path / "run"
    )
    void = np.array([224, 224, 192])
    shown = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(run.path.rglob("*.png"))]
    share = max(((image == void).all(axis=2)).mean() for image in shown)
    assert 0.05 < share < 0.3


def test_a_run_predicts_from_maps_with_ignored_pixels(tiny, tmp_path, write):
    root = write()
    run = genlab.train(tiny, overrides=[data(root), *ONE], out=tmp_path / "run")
    assert run.condition.ignore == 2
    path = root / "B/val/0.png"
    maps = run.read(path)
    assert sorted(np.unique(maps)) == [0, 1, 2]
    colors = np.array([(0, 0, 0), (255, 255, 255), (224, 224, 192)], np.uint8)[maps]
    assert np.array_equal(run.predict(maps), run.predict(colors))
    with pytest.raises(DataError, match="class 3 has no color"):
        run.predict(maps + 1)


def test_a_method_that_does_not_leave_out_pixels_is_refused_by_name(gen: GenCommand, tiny, write):
    losses = 'losses={l1=false, cycle={name="l1"}}'
    refused = gen("run", tiny, "--set", data(write()), "--set", "method.name=cyclegan", "--set", losses)
    assert refused.returncode == 2
    text = " ".join(refused.stderr.split())
    assert "cyclegan" in text and "does not leave out pixels, and the data have an ignored value" in text
    assert "such as pix2pix" in text


def test_a_resume_does_not_ignore_another_value(tiny, tmp_path, write):
    run = genlab.train(tiny, overrides=[data(write())], out=tmp_path / "run", stop_at=3)
    with pytest.raises(RunError, match="changed since the run started: the training pairs"):
        genlab.resume(run.path, overrides=["data.values=[255, 1]", "data.ignore=0"])


def test_the_report_tells_what_does_not_count(gen: GenCommand, tiny, write):
    root = write()
    Image.new("L", (32, 32), IGNORED).save(root / "B/train/1.png")
    arguments = ("data", tiny, "--set", data(root))
    found = json.loads(gen(*arguments, "--json", "--out", "look.png").stdout)["splits"]["train"]
    maps = np.stack([np.asarray(Image.open(path)) for path in (root / "B/train").iterdir()])
    assert found["ignored"] == pytest.approx((maps == IGNORED).mean())
    assert found["statistics"]["b"]["ignored"] == pytest.approx((maps == IGNORED).mean())
    assert sum(found["statistics"]["b"]["shares"]) == pytest.approx((maps != IGNORED).mean())
    assert found["ignored_pairs"] == ["1"]
    told = " ".join(gen(*arguments).stdout.split())
    assert f"Pixels of train that do not count: {(maps == IGNORED).mean():.1%}" in told
    assert "in train, pairs of which no pixel counts: 1 (1)" in told


def test_an_ignored_value_that_is_a_class_too_is_refused(tiny, write):
    with pytest.raises(RecipeError, match="ignore is 1, which is also in values"):
        genlab.train(tiny, overrides=[data(write(), ignore=1)])


@pytest.mark.parametrize("split", ["train", "val"])
def test_data_in_which_no_pixel_counts_are_refused_before_the_first_step(tiny, tmp_path, write, split: str):
    root = write()
    for path in (root / "B" / split).iterdir():
        Image.fromarray(np.full((32, 32), IGNORED, np.uint8)).save(path)
    with pytest.raises(DataError, match="no pixel of any pair counts") as caught:
        genlab.train(tiny, overrides=[data(root), *SEGMENTATION, *ONE], out=tmp_path / "run")
    assert "ignored value" in str(caught.value)
    assert not (tmp_path / "run").exists()
