"""`gen data`: what there is to train with, before anything is trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import GenCommand

import genlab


@pytest.fixture
def folder(make_pairs: Callable[..., Path]) -> list[str]:
    """Settings for data of three training pairs and as many validation pairs."""
    return ["--set", "data.name=side_by_side", "--set", f"data.root={make_pairs()}"]


def test_it_counts_pairs_and_sizes_and_shows_a_few(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    ended = gen("data", tiny)
    assert ended.returncode == 0, ended.stderr
    for words in ("5 drawn facades (train, seed 0)", "image, 3 channels", "labels, 12 classes", "36 x 36"):
        assert words in ended.stdout
    sheet = Image.open(tmp_path / "tiny_data.png")
    assert sheet.width > 6 * 96 and sheet.height > 3 * 96  # six columns, and as many rows as there are in both splits
    assert len(sheet.getcolors(2**24)) > 1000


def test_training_pairs_are_shown_before_and_after_augmentation(tiny: Path) -> None:
    shown = genlab.inspect_data(tiny, overrides=["augment.jitter=false", "seed=2"]).pictures
    heads = ("train", "train, augmented", "validation")
    assert list(shown) == [f"{head}: {side}" for head in heads for side in ("condition", "target")]
    mirrored = 0
    for side in ("condition", "target"):
        for before, after in zip(shown[f"train: {side}"], shown[f"train, augmented: {side}"], strict=True):
            is_mirrored = not np.array_equal(after, before)
            assert not is_mirrored or np.array_equal(after, before[:, ::-1])
            mirrored += is_mirrored
    assert 0 < mirrored < 6 and mirrored % 2 == 0, "some pairs of three"


def test_an_augmentation_that_does_not_take_such_data_is_named(gen: GenCommand, tiny: Path) -> None:
    ended = gen("data", tiny, "--set", "augment.color={}", "--set", "input.direction=b_to_a")
    assert ended.returncode == 2
    assert '--set augment.color={}: error: augmentation "color"' in ended.stderr and "is a label map" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sizes_are_told_with_their_counts(gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path) -> None:
    first = sorted((tmp_path / "pairs" / "train").iterdir())[0]
    Image.open(first).resize((80, 40)).save(first)
    found = json.loads(gen("data", tiny, *folder, "--json", "--out", "look.png").stdout)
    assert found["splits"]["train"]["sizes"] == {"36 x 36": 2, "40 x 40": 1}
    assert found["splits"]["validation"]["pairs"] == 3
    assert (found["shared"], found["sheet"]) == ([], "look.png")
    assert (tmp_path / "look.png").exists()


def test_a_contact_sheet_replaces_no_file_that_was_named(
    gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path
) -> None:
    image = next((tmp_path / "pairs" / "train").iterdir())
    before = image.read_bytes()
    refused = gen("data", tiny, *folder, "--out", image)
    assert refused.returncode != 0
    assert f"{image}: this file exists already" in refused.stderr
    assert image.read_bytes() == before


def test_pairs_that_are_there_twice_are_named(gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path) -> None:
    train, validation = tmp_path / "pairs" / "train", tmp_path / "pairs" / "val"
    first = sorted(train.iterdir())[0]
    shutil.copy(first, train / "again.png")
    shutil.copy(first, validation / "leak.png")
    told = gen("data", tiny, *folder).stdout
    assert f"warning: in train, pairs that equal another one: 2 ({first.name}, again.png)" in " ".join(told.split())
    assert "warning: validation pairs that are training pairs too: 1 (leak.png)" in " ".join(told.split())


def test_pictures_of_one_color_and_other_shapes_are_not_the_same(
    gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path
) -> None:
    for split, size in (("train", (40, 10)), ("val", (20, 20))):
        Image.new("RGB", size, "red").save(tmp_path / "pairs" / split / "plain.png")
    shown = gen("data", tiny, *folder)
    assert shown.returncode == 0, shown.stderr
    assert "are training pairs too" not in shown.stdout


def test_values_of_each_side_are_shown(gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path) -> None:
    shown = gen("data", tiny, *folder, "--set", "input.range_b=[0, 63]").stdout
    rows = {line[:12].strip(): line for line in shown.splitlines()}
    assert "uint8" in rows["train a"] and "0 to 255" in rows["validation a"]
    assert "0 to 63" in rows["train b"] and set("▁▂▃▄▅▆▇█") & set(rows["train b"])
    assert "warning" in shown and "of side b is beyond its range, 0 to 63" in shown


def test_classes_are_shown_with_their_shares(gen: GenCommand, tiny: Path) -> None:
    shown = gen("data", tiny).stdout
    assert "Classes of train b, uint8: 1 (33.4%), 0 (26.9%)" in shown and "never: 10" in shown
    assert "warning" not in shown
    found = json.loads(gen("data", tiny, "--json").stdout)["splits"]["train"]
    assert sum(found["statistics"]["b"]["shares"]) == pytest.approx(1)
    assert found["statistics"]["a"]["percentiles"]["50.0"] == pytest.approx(143, abs=3)
    assert sum(found["statistics"]["a"]["histogram"]) == pytest.approx(1)
    assert found["suspicions"] == []


def test_a_suspicion_of_both_splits_is_told_once_with_its_remedy(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 2)):
        for side in "AB":
            (tmp_path / side / split).mkdir(parents=True)
        for number in range(count):
            image = np.random.default_rng(number).integers(0, 4096, (16, 16)).astype(np.uint16)
            Image.fromarray(image).save(tmp_path / "A" / split / f"{number}.png")
            Image.fromarray((image // 2048).astype(np.uint8)).save(tmp_path / "B" / split / f"{number}.png")
    data = ["--set", "data.name=two_folders", "--set", f"data.root={tmp_path}"]
    shown = gen("data", tiny, *data).stdout
    assert shown.count("input.range_a = [0, 4095]") == shown.count("input.range_b = [0, 1]") == 1
    assert "in train and validation, side a uses 6.2% of its range" in shown
    found = json.loads(gen("data", tiny, *data, "--json").stdout)["splits"]["validation"]["suspicions"]
    assert ["side a" in found[0]["what"], "input.range_b" in found[1]["hint"]] == [True, True]


@pytest.mark.parametrize("out", [".", "/", "nowhere/look.png"])
def test_a_place_where_no_picture_can_be_is_refused_before_anything_is_read(
    gen: GenCommand, tiny: Path, out: str
) -> None:
    ended = gen("data", tiny, "--out", out)
    assert ended.returncode != 0 and "no picture can be written there" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_pair_that_cannot_be_read_is_found(gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path) -> None:
    last = sorted((tmp_path / "pairs" / "val").iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-200])
    ended = gen("data", tiny, *folder)
    assert ended.returncode == 2 and last.name in ended.stderr and "Traceback" not in ended.stderr
    assert not (tmp_path / "tiny_data.png").exists()


def test_the_cache_is_shown_and_cleared(gen: GenCommand, tiny: Path, tmp_path: Path) -> None:
    place = {"GENLAB_CACHE": str(tmp_path / "cache")}
    assert "0 bytes in" in gen("data", tiny, "--cache", "show", **place).stdout
    for seed in ("0", "1"):
        assert gen("run", tiny, "--set", f"data.seed={seed}", "--stop-at", "1", **place).returncode == 0
    shown = gen("data", tiny, "--cache", "show", **place).stdout.splitlines()
    assert sum(line.startswith("yes") for line in shown) == 3
    assert sum("seed 1" in line and not line.startswith("yes") for line in shown) == 3
    kept = json.loads(gen("data", tiny, "--cache", "show", "--json", **place).stdout)
    assert (len(kept["mine"]), len(kept["others"])) == (3, 3)
    assert "are removed" in gen("data", tiny, "--cache", "clear", **place).stdout
    assert not list((tmp_path / "cache").iterdir())
    assert "`off`" in gen("data", tiny, "--cache", "show", GENLAB_CACHE="off").stdout


def test_what_is_left_out_is_told_by_the_report_the_run_and_its_manifest(
    gen: GenCommand, tiny: Path, folder: list[str], tmp_path: Path
) -> None:
    for name in ("train/notes.txt", "train/.DS_Store", "val/.DS_Store"):
        (tmp_path / "pairs" / name).touch()
    line = "2 hidden (train/.DS_Store, val/.DS_Store), 1 .txt (train/notes.txt)"
    assert f"Left out: {line}" in gen("data", tiny, *folder).stdout
    report = json.loads(gen("data", tiny, *folder, "--json").stdout)
    assert report["left_out"] == {"hidden": ["train/.DS_Store", "val/.DS_Store"], ".txt": ["train/notes.txt"]}
    trained = gen("run", tiny, *folder, "--out", "run")
    assert trained.returncode == 0, trained.stderr
    manifest = json.loads((tmp_path / "run/run.json").read_text())
    assert manifest["facts"]["left out"] == line
    assert manifest["data"]["left_out"] == {"hidden": 2, ".txt": 1}
