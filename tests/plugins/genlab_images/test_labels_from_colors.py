from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genlab
from genlab import Choice, DataError, Dataset, ImageSide, LabelSide
from genlab_facades.classes import PALETTE
from genlab_facades.drawn_facades import DrawnFacades
from genlab_images.first_available import FirstAvailable
from genlab_images.labels_from_colors import LabelsFromColors
from genlab_images.side_by_side import SideBySide

COLORS = np.array(PALETTE, np.uint8)


@pytest.fixture
def jpegs(tmp_path: Path) -> Path:
    """Drawn facades as pix2pix uses the real ones: JPEG, the photo on the left and colored labels on the right."""
    for split, folder in (("train", "train"), ("validation", "val")):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        pairs = DrawnFacades(count=3, validation_count=2, size=128).open(split)
        for index, pair in enumerate(pairs):
            picture = Image.fromarray(np.hstack([pair.a, COLORS[pair.b]]))
            picture.save(tmp_path / "pairs" / folder / f"{index}.jpg", quality=90)
    return tmp_path / "pairs"


def test_classes_come_back_from_their_blurred_colors(jpegs: Path) -> None:
    pairs = LabelsFromColors(source=SideBySide(root=jpegs), palette=list(PALETTE)).open("validation")
    assert (pairs.a, pairs.b) == (ImageSide(3, dtype="uint8"), LabelSide(PALETTE))
    for pair, drawn in zip(pairs, DrawnFacades(validation_count=2, size=128).open("validation"), strict=True):
        assert (pair.b.shape, pair.b.dtype) == ((128, 128), np.uint8)
        assert (pair.b == drawn.b).mean() > 0.85
        assert np.abs(pair.a.astype(int) - drawn.a).mean() < 8


def test_each_pixel_is_of_the_nearest_color() -> None:
    picture = np.array([[[250, 10, 10], [30, 0, 0], [230, 0, 0], [9, 9, 9], [255, 0, 0]] * 20], np.uint8)
    pairs = memory(picture, np.zeros((1, 100, 3), np.uint8), palette=[(0, 0, 0), (255, 0, 0)], side="a")
    np.testing.assert_array_equal(pairs[0].a, [[1, 0, 1, 0, 1] * 20])
    np.testing.assert_array_equal(pairs[0].b, np.zeros((1, 100, 3)))


def test_sixteen_bits_and_more_than_256_classes() -> None:
    palette = [(level % 256, level // 256, 7) for level in range(300)]
    picture = np.array(palette, np.uint16)[None] * 257
    pairs = memory(picture, picture, palette=palette)
    assert pairs[0].b.dtype == np.uint16
    np.testing.assert_array_equal(pairs[0].b, [range(300)])


def memory(a: np.ndarray, b: np.ndarray, **settings) -> genlab.Pairs:
    class Memory(genlab.Pairs):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> genlab.Pair:
            return genlab.Pair("one", a, b)

    class One(Dataset):
        def open(self, split: genlab.Split) -> genlab.Pairs:
            return Memory(ImageSide(3), ImageSide(3), "one pair")

    return LabelsFromColors(source=One(), **settings).open("train")


def test_the_content_says_the_fingerprint(jpegs: Path) -> None:
    def fingerprint(**changes) -> str:
        settings = {"palette": list(PALETTE), "side": "b", **changes}
        return LabelsFromColors(source=SideBySide(root=jpegs), **settings).open("train").fingerprint()

    assert fingerprint() == fingerprint()
    assert fingerprint() != fingerprint(palette=[*PALETTE[1:], PALETTE[0]])
    assert fingerprint() != fingerprint(side="a")
    before = fingerprint()
    Image.new("RGB", (256, 128)).save(jpegs / "train" / "0.jpg")
    assert fingerprint() != before


def test_what_has_no_colors_to_tell_classes_by() -> None:
    with pytest.raises(DataError, match="side b is a label map already"):
        LabelsFromColors(source=DrawnFacades(count=1), palette=list(PALETTE)).open("train")


def test_a_photo_is_no_label_map(jpegs: Path) -> None:
    pairs = LabelsFromColors(source=SideBySide(root=jpegs), palette=list(PALETTE), side="a").open("train")
    with pytest.raises(DataError, match="half of side a is far from all of the palette's colors") as caught:
        pairs[0]
    assert caught.value.where == "0.jpg"


@pytest.mark.parametrize("palette", [[(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 0, 0), (255, 0, 0)]])
def test_a_color_that_no_class_has_is_named(palette: list[tuple[int, int, int]]) -> None:
    """Of a map as it was drawn: the values taken for 0 to 1, or a class forgotten."""
    picture = np.zeros((10, 10, 3), np.uint8)
    picture[:2], picture[2:5] = (255, 0, 0), (0, 255, 0)
    with pytest.raises(DataError, match=r"side b has the color \[0, 255, 0\] in 30.0% of its pixels") as caught:
        memory(picture, picture, palette=palette)[0]
    assert "0 to 255" in caught.value.hint


def test_a_color_that_stands_for_two_classes() -> None:
    with pytest.raises(ValueError, match=r"palette has the color \[1, 2, 3\] twice"):
        LabelsFromColors(source=DrawnFacades(), palette=[(1, 2, 3), (4, 5, 6), (1, 2, 3)])


def test_a_source_that_chooses_is_settled_in_the_runs_recipe(jpegs: Path, tiny: Path, tmp_path: Path) -> None:
    """So that a resume takes the same one, whatever can be had then."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"""
extends = "{tiny}"
[data]
name = "labels_from_colors"
palette = {[list(color) for color in PALETTE]}
[data.source]
name = "first_available"
[[data.source.sources]]
name = "side_by_side"
root = "{tmp_path / "missing"}"
[[data.source.sources]]
name = "side_by_side"
root = "{jpegs}"
""")
    run = genlab.train(recipe, out=tmp_path / "run")
    source = run.recipe.data.settings["source"]
    assert (source.component.name, source.settings["root"]) == ("side_by_side", jpegs)
    assert "missing" in (run.manifest.data.reason or "")
    assert run.manifest.channels == (3, 3)


def test_the_real_facades_have_their_twelve_classes(facades: Path) -> None:
    pairs = LabelsFromColors(source=SideBySide(root=facades), palette=list(PALETTE)).open("validation")
    shares = np.mean([np.bincount(pair.b.ravel(), minlength=12) / pair.b.size for pair in pairs], axis=0)
    assert (shares > 0).all()
    assert shares[:3].sum() > 0.6, "background, facade and windows are the most of it"


def test_probing_asks_the_source(tmp_path: Path) -> None:
    missing = LabelsFromColors(source=SideBySide(root=tmp_path / "no"), palette=list(PALETTE))
    with pytest.raises(genlab.DataUnavailableError):
        missing.probe()
    assert isinstance(LabelsFromColors(source=DrawnFacades(), palette=list(PALETTE)).choose(), Choice)


def test_what_the_source_left_out_is_told(jpegs: Path) -> None:
    (jpegs / "train/notes.txt").touch()
    source = SideBySide(root=jpegs)
    pairs = LabelsFromColors(source=FirstAvailable(sources=[source]), palette=list(PALETTE)).open("train")
    assert pairs.left_out == {".txt": ["train/notes.txt"]}
