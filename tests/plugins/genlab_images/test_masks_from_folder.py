"""Masks in a folder of images: each with the name of its pair."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.checkpoints import tensor_digests

import genlab
from genlab import DataError, Dataset, DataUnavailableError
from genlab_images.edges import Edges
from genlab_images.gray import Gray
from genlab_images.holes import Holes
from genlab_images.labels_from_values import LabelsFromValues
from genlab_images.low_resolution import LowResolution
from genlab_images.masks_from_folder import MasksFromFolder
from genlab_images.noise import Noise
from genlab_images.one_side import OneSide
from genlab_images.side_by_side import SideBySide
from genlab_images.unpaired_folders import UnpairedFolders


@pytest.fixture
def masked(make_pairs: Callable[..., Path], tmp_path: Path) -> MasksFromFolder:
    """Side-by-side pairs of 32 x 32 pixels, whose masks leave out the left half, or all but the left quarter."""
    root = make_pairs(count=2, size=32)
    for split in ("train", "val"):
        (tmp_path / "masks" / split).mkdir(parents=True)
        for number, columns in enumerate((slice(16, None), slice(8))):
            mask = np.zeros((32, 32), np.uint8)
            mask[:, columns] = 255
            Image.fromarray(mask).save(tmp_path / "masks" / split / f"{number}.png")
    return MasksFromFolder(source=SideBySide(root=root), root=tmp_path / "masks")


def test_a_mask_belongs_to_the_pair_of_its_name(masked: MasksFromFolder) -> None:
    pairs = masked.open("train")
    assert pairs.has_masks
    assert pairs.description.endswith(f", masks in {masked.root / 'train'}")
    for pair, columns in zip(pairs, (slice(16, None), slice(8)), strict=True):
        assert pair.mask is not None
        assert pair.mask.dtype == np.bool_
        assert pair.mask[:, columns].all()
        assert pair.mask.sum() == 32 * len(range(32)[columns])


@pytest.mark.parametrize("kind", ["source", "labels", "both"])
def test_other_datasets_keep_the_masks(masked: MasksFromFolder, kind: str) -> None:
    dataset = {
        "source": lambda: masked,
        "labels": lambda: LabelsFromValues(source=masked, values=2),
        "both": lambda: OneSide(source=masked),
    }[kind]()
    if kind == "labels":
        for split in ("train", "val"):
            for file in (masked.source.root / split).iterdir():
                Image.new("L", (64, 32)).save(file)
    pairs = dataset.open("train")
    assert pairs.has_masks
    mask = pairs[1].mask
    assert mask is not None
    assert np.array_equal(mask, masked.open("train")[1].mask)


def test_the_fingerprint_follows_the_masks_and_not_their_place(masked: MasksFromFolder, tmp_path: Path) -> None:
    before = masked.open("train").fingerprint()
    shutil.copytree(masked.root, tmp_path / "moved")
    assert MasksFromFolder(source=masked.source, root=tmp_path / "moved").open("train").fingerprint() == before
    shutil.copy(masked.root / "train/0.png", masked.root / "train/1.png")
    assert masked.open("train").fingerprint() != before


def test_a_mask_that_is_missing_is_told_by_its_pair(masked: MasksFromFolder) -> None:
    (masked.root / "train/1.png").unlink()
    with pytest.raises(DataError, match="no mask has its name") as caught:
        masked.open("train")[1]
    assert caught.value.where == "1.png"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("RGB", (32, 32)), "expected a mask of one channel, got 3"),
        (Image.linear_gradient("L").resize((32, 32)), "expected a mask of 0 and one other value, got"),
        (Image.fromarray(np.array([[1, 2]], np.uint8)), "expected a mask of 0 and one other value, got 1, 2"),
    ],
)
def test_an_image_that_is_no_mask_is_refused_with_its_file(
    masked: MasksFromFolder, image: Image.Image, reason: str
) -> None:
    image.save(masked.root / "train/0.png")
    with pytest.raises(DataError, match=reason) as caught:
        masked.open("train")[0]
    assert caught.value.where == str(masked.root / "train/0.png")


def test_data_that_can_have_no_masks_are_refused(
    masked: MasksFromFolder, save: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="have masks already"):
        MasksFromFolder(source=masked, root=masked.root).open("train")
    for folder in ("trainA", "trainB"):
        save(f"two/{folder}/1.png")
    with pytest.raises(DataError, match="without pairs"):
        MasksFromFolder(source=UnpairedFolders(root=tmp_path / "two"), root=masked.root).open("train")
    with pytest.raises(DataUnavailableError, match="no such folder"):
        MasksFromFolder(source=masked.source, root=tmp_path / "none").open("train")


def test_what_masks_leave_out_has_no_part_in_a_training(masked: MasksFromFolder, tiny: Path, tmp_path: Path) -> None:
    data = f'data={{name="masks_from_folder", root="{masked.root}", source={{name="side_by_side", root="PAIRS"}}}}'
    other = tmp_path / "other"
    shutil.copytree(masked.source.root, other)
    for split in ("train", "val"):
        pixels = np.array(Image.open(other / split / "0.png"))
        pixels[:, 32:48] = 99  # the left half of the target
        Image.fromarray(pixels).save(other / split / "0.png")
    found = []
    for root in (masked.source.root, other):
        overrides = [
            data.replace("PAIRS", str(root)),
            "input.direction=a_to_b",
            "augment.jitter=false",
            "losses.adversarial=false",
            "train.steps=2",
        ]
        run = genlab.train(tiny, overrides=overrides, out=tmp_path / f"run of {root.name}")
        found.append((tensor_digests(run.path)["generator.safetensors"], run.metrics))
    assert found[0] == found[1]


@pytest.mark.parametrize("make", [Gray, Edges, Holes, partial(LowResolution, factor=3), partial(Noise, deviation=9.0)])
def test_conditions_made_from_masked_images_keep_the_masks(
    masked: MasksFromFolder, make: Callable[..., Dataset]
) -> None:
    pairs = make(source=masked, side="a").open("train")
    assert pairs.has_masks
    for pair, stored in zip(pairs, masked.open("train"), strict=True):
        assert pair.mask is not None and stored.mask is not None
        height, width = pair.b.shape[:2]
        assert np.array_equal(pair.mask, stored.mask[:height, :width])
