"""The datasets do all that genlab asks of datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from genlab.testing import DatasetSuite
from genlab_facades.classes import PALETTE
from genlab_facades.drawn_facades import DrawnFacades
from genlab_images.edges import Edges
from genlab_images.file_list import FileList
from genlab_images.first_available import FirstAvailable
from genlab_images.gray import Gray
from genlab_images.holes import Holes
from genlab_images.huggingface import HuggingFace
from genlab_images.image_folder import FolderOfImages
from genlab_images.labels_from_colors import LabelsFromColors
from genlab_images.labels_from_values import LabelsFromValues
from genlab_images.low_resolution import LowResolution
from genlab_images.masks_from_folder import MasksFromFolder
from genlab_images.noise import Noise
from genlab_images.one_folder import OneFolder
from genlab_images.one_side import OneSide
from genlab_images.side_by_side import SideBySide
from genlab_images.two_folders import TwoFolders
from genlab_images.unpaired_folders import UnpairedFolders


class TestSideBySide(DatasetSuite):
    component = SideBySide

    @pytest.fixture(autouse=True)
    def pictures(self, make_pairs: Callable[..., Path]) -> None:
        self.settings = {"root": make_pairs()}


class TestTwoFolders(DatasetSuite):
    """Of colors on one side, and of gray with 16 bits on the other."""

    component = TwoFolders

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for side, (shape, high, dtype) in {"A": ((8, 6, 3), 256, np.uint8), "B": ((8, 6), 65536, np.uint16)}.items():
            for file in ("train/1.png", "train/nested/1.png", "train/10.tiff", "val/1.png"):
                path = tmp_path / side / file
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(random.integers(high, size=shape, dtype=dtype)).save(path)
        self.settings = {"root": tmp_path}


class TestUnpairedFolders(DatasetSuite):
    """Of several sizes, more on one side, with files of one name on both."""

    component = UnpairedFolders

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for folder, count in {"trainA": 5, "trainB": 3, "testA": 1, "testB": 2}.items():
            (tmp_path / folder).mkdir()
            for number in range(count):
                image = random.integers(256, size=(8 + number, 6, 3), dtype=np.uint8)
                Image.fromarray(image).save(tmp_path / folder / f"{number}.png")
        self.settings = {"root": tmp_path}


class TestOneFolder(DatasetSuite):
    """With a share of its pairs to validate."""

    component = OneFolder

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for number in range(20):
            for ending in ("_A.png", "_B.tiff"):
                image = Image.fromarray(random.integers(256, size=(8, 6, 3), dtype=np.uint8))
                image.save(tmp_path / f"{number}{ending}")
        self.settings = {"root": tmp_path, "train": ".", "validation": 0.2}


class TestFileList(DatasetSuite):
    """Of CSV to train and JSON Lines to validate."""

    component = FileList

    @pytest.fixture(autouse=True)
    def pictures(self, make_pairs: Callable[..., Path], tmp_path: Path) -> None:
        make_pairs()
        (tmp_path / "train.csv").write_text("a,b\npairs/train/1.png,pairs/train/2.png")
        (tmp_path / "val.jsonl").write_text('{"a": "pairs/val/1.png", "b": "pairs/val/2.png"}')
        self.settings = {"root": tmp_path, "validation": "val.jsonl"}


class TestHuggingFace(DatasetSuite):
    """A Parquet file on this machine."""

    component = HuggingFace

    @pytest.fixture(autouse=True)
    def table(self, encode: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        random = np.random.default_rng(0)
        columns = {
            side: [encode(random.integers(256, size=(8, 6, 3), dtype=np.uint8)) for _ in range(10)]
            for side in ("photo", "labels")
        }
        pyarrow.parquet.write_table(pa.table(columns), tmp_path / "facades.parquet")
        self.settings = {"path": str(tmp_path / "facades.parquet"), "a": "photo", "b": "labels"}


class TestOneSide(DatasetSuite):
    """Of sides that differ in number and size."""

    component = OneSide

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for folder, count in {"trainA": 5, "trainB": 3, "testA": 1, "testB": 2}.items():
            (tmp_path / folder).mkdir()
            for number in range(count):
                image = random.integers(256, size=(8 + number, 6, 3), dtype=np.uint8)
                Image.fromarray(image).save(tmp_path / folder / f"{number}.png")
        self.settings = {"source": UnpairedFolders(root=tmp_path), "side": "b"}


class TestFolderOfImages(DatasetSuite):
    """With a share of its images to validate."""

    component = FolderOfImages

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"root": photos, "validation": 0.3}


class TestGray(DatasetSuite):
    component = Gray

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"source": FolderOfImages(root=photos, validation=0.3)}


class TestEdges(DatasetSuite):
    component = Edges

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"source": FolderOfImages(root=photos, validation=0.3)}


class TestHoles(DatasetSuite):
    """With several."""

    component = Holes

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"source": FolderOfImages(root=photos, validation=0.3), "count": 2}


class TestLowResolution(DatasetSuite):
    """Of images whose sizes are no multiples of the factor."""

    component = LowResolution

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"source": FolderOfImages(root=photos, validation=0.3), "factor": 3}


class TestNoise(DatasetSuite):
    component = Noise

    @pytest.fixture(autouse=True)
    def images(self, photos: Path) -> None:
        self.settings = {"source": FolderOfImages(root=photos, validation=0.3), "deviation": 8.0}


class TestLabelsFromColors(DatasetSuite):
    component = LabelsFromColors

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        colors = np.array(PALETTE, np.uint8)
        facades = DrawnFacades(count=3, validation_count=2, size=32)
        for split, folder in (("train", "train"), ("validation", "val")):
            (tmp_path / folder).mkdir()
            for pair in facades.open(split):
                Image.fromarray(np.hstack([pair.a, colors[pair.b]])).save(tmp_path / folder / f"{pair.key}.png")
        self.settings = {"source": SideBySide(root=tmp_path), "palette": list(PALETTE)}


class TestLabelsFromValues(DatasetSuite):
    """Of indices in 16 bits."""

    component = LabelsFromValues

    @pytest.fixture(autouse=True)
    def pictures(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for split in ("train", "val"):
            for side, high, dtype in (("A", 256, np.uint8), ("B", 700, np.uint16)):
                (tmp_path / side / split).mkdir(parents=True)
                image = Image.fromarray(random.integers(high, size=(8, 6), dtype=dtype))
                image.save(tmp_path / side / split / "1.png")
        self.settings = {"source": TwoFolders(root=tmp_path), "values": 700}


class TestLabelsWithAnIgnoredValue(TestLabelsFromValues):
    """The last of the values."""

    @pytest.fixture(autouse=True)
    def ignored(self, pictures: None) -> None:
        self.settings = {**self.settings, "values": 699, "ignore": 699}


class TestMasksFromFolder(DatasetSuite):
    component = MasksFromFolder

    @pytest.fixture(autouse=True)
    def pictures(self, make_pairs: Callable[..., Path], tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        for split in ("train", "val"):
            (tmp_path / "masks" / split).mkdir(parents=True)
            for number in range(3):
                image = Image.fromarray(random.integers(2, size=(36, 36), dtype=np.uint8))
                image.save(tmp_path / "masks" / split / f"{number}.png")
        self.settings = {"source": SideBySide(root=make_pairs()), "root": tmp_path / "masks"}


class TestFirstAvailable(DatasetSuite):
    """Of two, the first of which is not there."""

    component = FirstAvailable

    @pytest.fixture(autouse=True)
    def sources(self, make_pairs: Callable[..., Path], tmp_path: Path) -> None:
        self.settings = {"sources": [SideBySide(root=tmp_path / "missing"), SideBySide(root=make_pairs())]}
