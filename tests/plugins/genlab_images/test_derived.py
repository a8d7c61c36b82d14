"""Conditions that are derived from images: of every depth and number of bands, the same for the same image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests
from typing_extensions import override

import genlab
from genlab import DataError, Dataset, GenlabError, ImageSide, Pairs, PredictionError, SideName, Split
from genlab.data.sides import to_tensor
from genlab.testing import MemoryPairs
from genlab_facades.drawn_facades import DrawnFacades
from genlab_images.derived import Derived
from genlab_images.edges import Edges
from genlab_images.gray import Gray
from genlab_images.holes import Holes
from genlab_images.image_folder import FolderOfImages
from genlab_images.low_resolution import LowResolution
from genlab_images.noise import Noise
from genlab_images.unpaired_folders import UnpairedFolders

DTYPES = ["uint8", "uint16", "uint32", "int16", "int32", "float32", "float64"]
DERIVED: dict[str, Callable[..., Derived]] = {
    "gray": Gray,
    "edges": Edges,
    "holes": Holes,
    "low_resolution": LowResolution,
    "noise": Noise,
}
NEEDED: dict[str, dict[str, Any]] = {"noise": {"deviation": 20.0}, "low_resolution": {"factor": 3}}
OTHER: list[tuple[str, dict[str, Any]]] = [
    ("edges", {"sigma": 2.0}),
    ("edges", {"share": 0.3}),
    ("holes", {"count": 2}),
    ("holes", {"share": 0.5}),
    ("holes", {"fill": 3.0}),
    ("holes", {"seed": 1}),
    ("low_resolution", {"factor": 2}),
    ("noise", {"deviation": 21.0}),
    ("noise", {"seed": 1}),
]
"""Settings that make other conditions, one at a time."""


class Extremes(Dataset):
    """Two images of 13 x 10 pixels whose bands have the least and the greatest values of their type."""

    def __init__(self, dtype: str = "uint8", channels: int = 3) -> None:
        self.dtype, self.channels = np.dtype(dtype), channels

    @override
    def open(self, split: Split) -> Pairs:
        random = np.random.default_rng(len(split))
        limits = limits_of(self.dtype)
        images = [random.choice(np.array(limits), (13, 10, self.channels)).astype(self.dtype) for _ in range(2)]
        side = ImageSide(self.channels, None if self.dtype.kind == "u" else limits, self.dtype.name)
        return MemoryPairs(images, images, (side, side))


def limits_of(dtype: np.dtype[np.generic]) -> tuple[float, float]:
    if dtype.kind == "f":
        return -1e3, 1e3
    return float(np.iinfo(dtype.name).min), float(np.iinfo(dtype.name).max)


def opened(name: str, source: Dataset, **settings: Any) -> Pairs:
    return DERIVED[name](source=source, **NEEDED.get(name, {}) | settings).open("train")


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_depth_and_number_of_bands_is_kept(dtype: str, channels: int) -> None:
    source = Extremes(dtype, channels)
    for name in DERIVED if channels > 1 else set(DERIVED) - {"gray"}:
        pairs = opened(name, source)
        for pair, original in zip(pairs, source.open("train"), strict=True):
            height, width = pair.b.shape[:2]
            assert pair.b.dtype == dtype
            np.testing.assert_array_equal(pair.b, original.b[:height, :width])
            assert (height, width) == ((12, 9) if name == "low_resolution" else (13, 10))
            assert to_tensor(pair.a, pairs.a, name).shape[0] == (1 if name in ("gray", "edges") else channels)
            assert pair.a.dtype == dtype or name in ("edges", "noise")


@pytest.mark.parametrize("dtype", DTYPES)
def test_gray_and_means_have_the_values_that_they_stand_for(dtype: str) -> None:
    source = Extremes(dtype)
    tolerance = 0.5 if np.dtype(dtype).kind in "iu" else 1e-3
    image = source.open("train")[0].a.astype(np.float64)
    gray, small = (opened(name, source)[0].a.astype(np.float64) for name in ("gray", "low_resolution"))
    luma: np.ndarray = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    np.testing.assert_allclose(gray[..., 0], luma, atol=tolerance)
    np.testing.assert_allclose(small[1, 2], image[3:6, 6:9].mean(axis=(0, 1)), atol=tolerance)
    of_five = opened("gray", Extremes(dtype, 5))[0]
    mean = of_five.b.mean(axis=2, dtype=np.float64)
    np.testing.assert_allclose(of_five.a[..., 0].astype(np.float64), mean, atol=tolerance)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_noise_has_its_deviation_and_is_not_clipped(dtype: str) -> None:
    pair = opened("noise", Extremes(dtype))[0]
    noise = pair.a.astype(np.float64) - pair.b.astype(np.float64)
    assert noise.std() == pytest.approx(20, rel=0.15)
    assert pair.a.min() < pair.b.min()
    assert pair.a.max() > pair.b.max()


def test_noise_is_the_same_everywhere() -> None:
    """The numbers of NumPy's generator: if these change, datasets of one fingerprint have other noise."""
    zeros = [np.zeros((1, 4, 1), np.float32)]
    source = MemoryPairs(zeros, zeros, (ImageSide(1), ImageSide(1)))
    noise = opened("noise", _Given(source), deviation=1.0)[0].a
    np.testing.assert_allclose(
        noise.ravel().astype(np.float64), [1.6377193, -2.5780854, -0.8023667, 1.9336464], atol=1e-6
    )


class _Given(Dataset):
    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    @override
    def open(self, split: Split) -> Pairs:
        return self.pairs


@pytest.mark.parametrize(("count", "share"), [(1, 0.25), (1, 1.0), (3, 0.03)])
def test_holes_have_their_area_and_nothing_else_changes(count: int, share: float) -> None:
    pairs = opened("holes", DrawnFacades(count=3, size=200), count=count, share=share, fill=7.0)
    for pair in pairs:
        holes = (pair.a == 7).all(axis=2)
        assert 0.5 * share < holes.mean() <= 1.02 * share
        np.testing.assert_array_equal(pair.a[~holes], pair.b[~holes])


def test_edges_are_lines_of_a_pixel_where_areas_meet() -> None:
    image = np.full((40, 40, 3), 0.1)
    pairs = opened("edges", _Given(MemoryPairs([image], [image])))
    assert (pairs[0].a == 255).all()
    image[10:30, 10:30] = 0.9
    edges = pairs[0].a[..., 0] == 0
    assert edges[:, 20].nonzero()[0] == pytest.approx([9.5, 29.5], abs=0.5)
    assert edges[20].nonzero()[0] == pytest.approx([9.5, 29.5], abs=0.5)
    assert not edges[13:27, 13:27].any()
    assert not (edges[:8].any() or edges[32:].any())


@pytest.mark.parametrize("name", DERIVED)
def test_an_image_has_the_same_condition_among_other_images(name: str, photos: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for number in (1, 2, 4, 7):
        (few / f"{number}.png").write_bytes((photos / f"{number}.png").read_bytes())
    all_pairs, few_pairs = (
        {pair.key: pair for split in ("train", "validation") for pair in opened_split(name, folder, split)}
        for folder in (photos, few)
    )
    for key, pair in few_pairs.items():
        np.testing.assert_array_equal(pair.a, all_pairs[key].a)


def opened_split(name: str, folder: Path, split: Split) -> Pairs:
    return DERIVED[name](source=FolderOfImages(root=folder, validation=0.5), **NEEDED.get(name, {})).open(split)


@pytest.mark.parametrize(("name", "settings"), OTHER)
def test_other_conditions_have_another_fingerprint(name: str, settings: dict[str, Any]) -> None:
    source = DrawnFacades(count=2, size=36)
    one, other = opened(name, source), opened(name, source, **settings)
    assert one.fingerprint() == opened(name, source).fingerprint()
    assert one.fingerprint() != other.fingerprint()
    assert any(not np.array_equal(pair.a, changed.a) for pair, changed in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("name", "source", "settings", "what", "hint"),
    [
        ("edges", DrawnFacades(count=2), {"side": "b"}, "label map", 'data.side = "a"'),
        ("gray", Extremes(channels=1), {}, "gray already", "data.side"),
        ("holes", Extremes(), {"fill": 256.0}, "from 0 to 255, and data.fill is 256", "data.side"),
        ("holes", Extremes("int16"), {"fill": 0.5}, "data.fill is 0.5", "data.side"),
        ("noise", Extremes(), {"deviation": 256.0}, "data.deviation is at most 255, and it is 256", "data.side"),
        ("low_resolution", Extremes(), {"factor": 11}, "pair 0.* 13 x 10 pixels; expected at least 11", "data.factor"),
    ],
)
def test_what_has_no_condition_is_refused(
    name: str, source: Dataset, settings: dict[str, Any], what: str, hint: str
) -> None:
    with pytest.raises(DataError, match=what) as error:
        opened(name, source, **settings)[0]
    assert hint in str(error.value.hint)


RUNS = {
    "gray": "",
    "edges": "",
    "holes": "count=3",
    "low_resolution": "factor=4",
    "noise": "deviation=25.0",
}


@pytest.mark.parametrize("name", RUNS)
def test_any_folder_of_images_trains_and_predicts(name: str, tiny: Path, photos: Path, tmp_path: Path) -> None:
    settings = f", {RUNS[name]}" if RUNS[name] else ""
    source = f'{{name="image_folder", root="{photos.as_posix()}", validation=0.3}}'
    small = ["input.scale=4", "input.size=8", 'generator={name="resnet", blocks=1, channels=4, scale=4}']
    overrides = [
        f'data={{name="{name}", source={source}{settings}}}',
        "input.direction=a_to_b",
        "input.size=16",
        "losses.adversarial=false",
        "train.steps=1",
        *(small if name == "low_resolution" else []),
    ]
    run = genlab.train(tiny, overrides=overrides, out=tmp_path / "run")
    pair = run.validation_pairs()[0]
    factor = 4 if name == "low_resolution" else 1
    assert pair.target.shape[-1] == factor * pair.condition.shape[-1]
    (written,) = genlab.predict_files(run.path, [photos / "1.png"], tmp_path / "out").values()
    with Image.open(written) as prediction:
        assert (prediction.mode, prediction.size) == ("RGB", (32, 32) if factor == 4 else (16, 16))


def test_a_noisy_file_of_another_depth_is_refused(tiny: Path, photos: Path, tmp_path: Path) -> None:
    data = f'data={{name="noise", deviation=9.0, source={{name="image_folder", root="{photos.as_posix()}"}}}}'
    overrides = [data, "input.direction=a_to_b", "train.steps=1"]
    run = genlab.train(tiny, overrides=overrides, out=tmp_path / "run")
    np.save(tmp_path / "deep.npy", np.full((16, 16, 3), 60_000, np.uint16))
    with pytest.raises(PredictionError, match="type of the training images"):
        genlab.predict_files(run.path, [tmp_path / "deep.npy"], tmp_path / "out")


def test_a_training_that_pauses_is_one_that_does_not(tiny: Path, photos: Path, tmp_path: Path) -> None:
    data = f'data={{name="holes", source={{name="image_folder", root="{photos.as_posix()}"}}}}'
    overrides = [data, "input.direction=a_to_b", "train.steps=4"]
    genlab.train(tiny, overrides=overrides, out=tmp_path / "whole")
    genlab.train(tiny, overrides=overrides, out=tmp_path / "paused", stop_at=3)
    genlab.resume(tmp_path / "paused")
    assert tensor_digests(tmp_path / "paused") == tensor_digests(tmp_path / "whole")
    with pytest.raises(GenlabError, match="changed"):
        genlab.resume(tmp_path / "whole", overrides=["train.steps=5", "data.seed=1"])


@pytest.mark.parametrize(("side", "counts"), [("a", (5, 1)), ("b", (3, 2))])
def test_images_without_pairs_are_taken_from_one_side(side: SideName, counts: tuple[int, int], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for folder, count in {"trainA": 5, "trainB": 3, "testA": 1, "testB": 2}.items():
        (tmp_path / folder).mkdir()
        for number in range(count):
            image = random.integers(256, size=(8 + number, 6, 3), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / folder / f"{number}.png")
    dataset = Gray(source=UnpairedFolders(root=tmp_path), side=side)
    train, validation = dataset.open("train"), dataset.open("validation")
    assert (len(train), len(validation)) == counts
    assert train.is_paired
    last = Image.open(tmp_path / f"train{side.upper()}/{counts[0] - 1}.png")
    np.testing.assert_array_equal(train[counts[0] - 1].b, np.array(last))


def test_targets_of_another_size_ask_for_the_scale(tiny: Path, photos: Path, tmp_path: Path) -> None:
    data = f'data={{name="low_resolution", factor=2, source={{name="image_folder", root="{photos.as_posix()}"}}}}'
    with pytest.raises(DataError, match=r"input\.scale = 2"):
        genlab.train(tiny, overrides=[data, "input.direction=a_to_b"], out=tmp_path / "run")


def test_a_file_to_predict_from_is_a_condition(tmp_path: Path) -> None:
    """Gray of colors and edges of colors; a drawing, and what has holes, is small or is noisy already, as it is."""
    image = np.random.default_rng(0).integers(256, size=(12, 12, 3), dtype=np.uint8)
    gray = np.repeat(image[..., :1], 3, axis=2)
    for name, array in (("colors", image), ("gray", gray)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    source = FolderOfImages(root=tmp_path)

    def read(name: str, file: str) -> list[Any]:
        dataset = DERIVED[name](source=source, **NEEDED.get(name, {}))
        np.testing.assert_array_equal(dataset.read(tmp_path / "colors.png", "b"), image)
        return dataset.read(tmp_path / f"{file}.png", "a").tolist()

    colors = opened("edges", _Given(MemoryPairs([image], [image])))[0].a
    assert read("edges", "colors") == colors.tolist()
    assert read("edges", "gray") == read("gray", "gray") == gray[..., :1].tolist()
    assert read("gray", "colors") == opened("gray", _Given(MemoryPairs([image], [image])))[0].a.tolist()
    for name in ("holes", "low_resolution", "noise"):
        assert read(name, "colors") == image.tolist()
