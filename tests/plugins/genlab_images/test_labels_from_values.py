"""Masks and maps of indices as labels, and what is said of values that no class has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import genlab
from genlab import DataError, LabelSide, Pairs
from genlab_facades.drawn_facades import DrawnFacades
from genlab_images.labels_from_colors import LabelsFromColors
from genlab_images.labels_from_values import LabelsFromValues
from genlab_images.two_folders import TwoFolders

BLACK_AND_WHITE = ((0, 0, 0), (255, 255, 255))


@pytest.fixture
def labeled(tmp_path: Path) -> TwoFolders:
    for folder in ("A", "B"):
        (tmp_path / folder / "train").mkdir(parents=True)
    Image.new("RGB", (4, 2)).save(tmp_path / "A/train/1.png")
    return TwoFolders(root=tmp_path)


def save(source: TwoFolders, picture: Image.Image, kind: str = "png") -> Path:
    path = source.root / f"B/train/1.{kind}"
    picture.save(path)
    return path


def read(source: TwoFolders, **settings: Any) -> tuple[Pairs, list[list[int]]]:
    pairs = LabelsFromValues(source=source, **settings).open("train")
    return pairs, pairs[0].b.tolist()


@pytest.mark.parametrize(
    ("values", "dtype", "content", "classes"),
    [
        ([0, 255], np.uint8, [0, 255, 255, 0], [0, 1, 1, 0]),
        ([0, 1], np.uint8, [0, 1, 1, 0], [0, 1, 1, 0]),
        ([255, 7, 0], np.uint8, [0, 7, 255, 7], [2, 1, 0, 1]),
        (4, np.uint8, [0, 1, 3, 2], [0, 1, 3, 2]),
        ([0, 60_000, 300], np.uint16, [60_000, 300, 0, 300], [1, 2, 0, 2]),
        (1000, np.uint16, [999, 0, 256, 1], [999, 0, 256, 1]),
    ],
)
def test_values_tell_classes(
    labeled: TwoFolders, values: list[int] | int, dtype: type, content: list[int], classes: list[int]
) -> None:
    save(labeled, Image.fromarray(np.array([content, content[::-1]], dtype)))
    pairs, found = read(labeled, values=values)
    assert found == [classes, classes[::-1]]
    assert pairs[0].b.dtype == (np.uint16 if values == 1000 else np.uint8)
    assert pairs[0].a.shape == (2, 4, 3)
    count = values if isinstance(values, int) else len(values)
    assert pairs.description.endswith(f", b as {count} classes")


def test_an_ignored_value_is_no_class(labeled: TwoFolders) -> None:
    np.save(labeled.root / "B/train/1.npy", np.array([[-1, 0, 7, 7], [7, -1, 0, 0]], np.int16)[..., None])
    pairs, found = read(labeled, values=[7, 0], ignore=-1)
    assert found == [[2, 1, 0, 0], [0, 2, 1, 1]]
    assert pairs.b == LabelSide(BLACK_AND_WHITE, ignore=2)
    assert pairs.description.endswith(", b as 2 classes and ignored pixels")
    with pytest.raises(DataError, match=r"values of no class: -1 \(2 px\)"):
        read(labeled, values=[7, 0])
    other = read(labeled, values=[7, -1], ignore=0)[0]
    assert other.fingerprint() != pairs.fingerprint() != pairs.source.fingerprint()


def test_an_ignored_color_is_no_class(labeled: TwoFolders) -> None:
    colors = np.array([(128, 0, 0), (224, 224, 192), (0, 128, 0)], np.uint8)
    save(labeled, Image.fromarray(colors[[[0, 1, 2, 1], [2, 2, 0, 0]]]))
    pairs = LabelsFromColors(source=labeled, palette=[(128, 0, 0), (0, 128, 0)], ignore=(224, 224, 192)).open("train")
    assert pairs[0].b.tolist() == [[0, 2, 1, 2], [1, 1, 0, 0]]
    assert pairs.b == LabelSide(((128, 0, 0), (0, 128, 0)), ignore=2)
    plain = LabelsFromColors(source=labeled, palette=[(128, 0, 0), (0, 128, 0)]).open("train")
    assert pairs.fingerprint() != plain.fingerprint()


def test_a_mask_of_one_bit_has_0_and_255(labeled: TwoFolders) -> None:
    save(labeled, Image.fromarray(np.array([[False, True, True, False]] * 2)))
    assert read(labeled, values=[0, 255])[1] == [[0, 1, 1, 0]] * 2


def test_a_file_is_read_as_pairs_are(labeled: TwoFolders) -> None:
    path = save(labeled, Image.fromarray(np.array([[0, 255, 255, 0]] * 2, np.uint8)))
    data = LabelsFromValues(source=labeled, values=[0, 255])
    assert data.read(path, "b").tolist() == [[0, 1, 1, 0]] * 2
    assert data.read(path, "a").shape == (2, 4, 1)
    with pytest.raises(DataError, match="side b has 3 channels") as caught:
        data.read(labeled.root / "A/train/1.png", "b")
    assert caught.value.where == str(labeled.root / "A/train/1.png")


def test_colors_are_given_or_differ(labeled: TwoFolders) -> None:
    save(labeled, Image.new("L", (4, 2)))
    given = [(1, 2, 3), (4, 5, 6)]
    assert read(labeled, values=[0, 1], palette=given)[0].b == LabelSide(tuple(given))
    assert read(labeled, values=2)[0].b == LabelSide(BLACK_AND_WHITE)
    side = read(labeled, values=300)[0].b
    assert isinstance(side, LabelSide)
    assert side.palette[:4] == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0))
    assert len(set(side.palette)) == 300


def test_values_of_no_class_are_counted_and_named_with_the_file(labeled: TwoFolders) -> None:
    save(labeled, Image.fromarray(np.array([[0, 255, 7, 7], [7, 9, 0, 255]], np.uint8)))
    with pytest.raises(DataError, match=r"side b has values of no class: 7 \(3 px\), 9 \(1 px\)\n") as caught:
        read(labeled, values=[0, 255])
    assert caught.value.where == "1"
    assert "data.values" in str(caught.value.hint)


def test_many_values_of_no_class_are_a_few_and_a_count(labeled: TwoFolders) -> None:
    save(labeled, Image.fromarray(np.arange(10, dtype=np.uint8).reshape(2, 5) + 100))
    Image.new("RGB", (5, 2)).save(labeled.root / "A/train/1.png")
    with pytest.raises(DataError, match=r"px\) and 2 more\n"):
        read(labeled, values=[0, 1])


@pytest.mark.parametrize(("mode", "reason"), [("RGB", "labels_from_colors"), ("F", "not an image of integers")])
def test_an_image_that_has_no_values_of_classes(labeled: TwoFolders, mode: str, reason: str) -> None:
    save(labeled, Image.new(mode, (4, 2)), "tiff")
    with pytest.raises(DataError, match=reason):
        read(labeled, values=2)


def test_labels_already_are_not_read_again() -> None:
    with pytest.raises(DataError, match="side b is a label map already"):
        LabelsFromValues(source=DrawnFacades(count=1), values=2).open("train")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"values": [0, 1, 0]}, "values has 0 twice"),
        ({"values": 3, "ignore": 2}, "ignore is 2, which is also in values"),
        ({"values": 3, "palette": [(0, 0, 0)]}, "palette has 1 colors, and there are 3 values"),
    ],
)
def test_settings_that_contradict_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        LabelsFromValues(source=DrawnFacades(), **settings)


def test_the_fingerprint_follows_the_values(labeled: TwoFolders) -> None:
    save(labeled, Image.new("L", (4, 2)))
    found = {read(labeled, values=values)[0].fingerprint() for values in (2, [0, 1], [0, 255])}
    assert len(found) == 2


@pytest.mark.parametrize("colors", [3, 256])
def test_a_png_with_a_palette_has_labels_by_its_colors(labeled: TwoFolders, colors: int) -> None:
    """The indices come back, though the picture is read in its colors."""
    palette = [(number, 255 - number, number * 3 % 256) for number in range(colors)]
    indices = np.array([[0, 1, 2, 1], [colors - 1, 0, 1, 2]], np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([value for color in palette for value in color])
    save(labeled, picture)
    assert picture.mode == "P"
    pairs = LabelsFromColors(source=labeled, palette=palette).open("train")
    assert pairs[0].b.tolist() == indices.tolist()
    with pytest.raises(DataError, match="has 3 channels"):
        read(labeled, values=colors)


def test_a_gray_mask_that_jpeg_has_blurred_has_labels_by_its_colors(labeled: TwoFolders) -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[5:20, 3:27] = 255
    save(labeled, Image.fromarray(mask), "jpg")
    Image.new("RGB", (32, 32)).save(labeled.root / "A/train/1.png")
    with pytest.raises(DataError, match="values of no class") as caught:
        read(labeled, values=[0, 255])
    assert "labels_from_colors" in str(caught.value.hint)
    pairs = LabelsFromColors(source=labeled, palette=list(BLACK_AND_WHITE)).open("train")
    assert (pairs[0].b == (mask > 0)).all()


def test_masks_are_learned_from_a_recipe(tiny: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(random.integers(256, size=(36, 36, 3), dtype=np.uint8)).save(tmp_path / f"{number}.jpg")
        mask = random.integers(2, size=(36, 36), dtype=np.uint8) * 255
        Image.fromarray(mask).save(tmp_path / f"{number}_mask.png")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"""
extends = "{tiny}"
[data]
name = "labels_from_values"
values = [0, 255]
[data.source]
name = "one_folder"
root = "{tmp_path}"
a = ""
b = "_mask"
train = "."
validation = 0.2
""")
    run = genlab.train(recipe, out=tmp_path / "run")
    assert run.manifest.condition is not None
    assert run.manifest.condition.classes == BLACK_AND_WHITE
