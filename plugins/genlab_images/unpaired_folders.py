"""Images of two sides that are no pairs, in two folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, Dataset, ImageFolder, Pairs, SideName, Split
from genlab_images.folders import find_root, left_out_below
from genlab_images.paired import PairedImages, counted
from genlab_images.partners import pair_up
from genlab_images.reading import Reading
from genlab_images.side_folders import SIDES, SideFolders, by_name
from genlab_images.splits import Share, Splits
from genlab_images.unpaired import UnpairedImages


class UnpairedFolders(Dataset):
    """Two folders of images that do not belong together, such as `trainA/horse.jpg` and `trainB/zebra.jpg`.

    For methods that need no pairs. The sides may have different numbers of images, of any sizes. Images are read as
    `side_by_side` reads them; of pairs in two folders, `two_folders` is the dataset, for such methods too.

    Args:
        root: the folder that holds both sides' folders; a relative path is taken from the working directory.
        a: the first side's folder.
        b: the second side's folder.
        layout: where a side's folder of a split is, in `root`: "{split}{side}" for `trainA`, "{side}/{split}" for
            `A/train`, "{side}" where validation is a share and there are no folders of splits.
        train: the folder of training images.
        validation: the folder of validation images; or a share, such as 0.1, of the training folder's images, drawn by
            a hash of their names.
        test: the folder of test images, which no training reads; without it there are none.
        paired_validation: whether validation and test images are pairs, by their names without extension, so that
            metrics can compare predictions with targets.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        a: str = "A",
        b: str = "B",
        layout: str = "{split}{side}",
        train: str = "train",
        validation: str | Share = "test",
        test: str = "test",
        paired_validation: bool = False,
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        self.root = root
        self.splits = Splits(train, validation, test)
        self.folders = SideFolders.of(a, b, layout, self.splits)
        self.paired_validation = paired_validation
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        found_a, found_b = (self.folders.find(root, side, split) for side in SIDES)
        a, b = (self._selected(split, found) for found in (found_a, found_b))
        left_out = self.splits.left_out(split, left_out_below(root, found_a, found_b))
        if split != "train" and self.paired_validation:
            where = f"{found_a.folder} and {found_b.folder}"
            hint = "With paired_validation, both images of a pair have the same name but for their extension."
            pairs = pair_up(a, b, where, hint)
            return PairedImages(list(pairs.values()), f"{counted(len(pairs))} in {where}", self.reading, left_out)
        description = f"{self._in_words(split, a, found_a)} and {self._in_words(split, b, found_b)}"
        return UnpairedImages({"a": a, "b": b}, description, self.reading, left_out)

    def _selected(self, split: Split, found: ImageFolder) -> dict[str, Path]:
        return self.splits.select(split, by_name(found), str(found.folder), "image")

    def _in_words(self, split: Split, selected: Mapping[str, Path], found: ImageFolder) -> str:
        return f"{self.splits.in_words(split, selected, found.files, 'image')} in {found.folder}"

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.folders.available(find_root(self.root))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)
