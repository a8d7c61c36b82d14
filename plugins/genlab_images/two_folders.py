"""Pairs kept as two files of one name, in two folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, Dataset, Pairs, SideName, Split
from genlab_images.folders import find_root, left_out_below
from genlab_images.paired import PairedImages
from genlab_images.partners import pair_up
from genlab_images.reading import Reading
from genlab_images.side_folders import SIDES, SideFolders, by_name
from genlab_images.splits import Share, Splits


class TwoFolders(Dataset):
    """Two folders of images, where files of one name make a pair: `A/train/1.jpg` and `B/train/1.png`.

    Names are compared without their extension; folders within a split's folder are part of the name. A file without a
    partner is refused. Images are read as `side_by_side` reads them.

    Args:
        root: the folder that holds both sides' folders; a relative path is taken from the working directory.
        a: the first side's folder.
        b: the second side's folder.
        layout: where a side's folder of a split is, in `root`: "{split}/{side}" for `train/A`, "{split}{side}" for
            `trainA`, "{side}" where validation is a share and there are no folders of splits.
        train: the folder of training images.
        validation: the folder of validation images; or a share, such as 0.1, of the training folder's pairs, drawn by
            a hash of their names.
        test: the folder of test images, which no training reads; without it there are none.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        a: str = "A",
        b: str = "B",
        layout: str = "{side}/{split}",
        train: str = "train",
        validation: str | Share = "val",
        test: str = "test",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        self.root = root
        self.splits = Splits(train, validation, test)
        self.folders = SideFolders.of(a, b, layout, self.splits)
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        found_a, found_b = (self.folders.find(root, side, split) for side in SIDES)
        where = f"{found_a.folder} and {found_b.folder}"
        hint = "Both images of a pair have the same name in the two folders; only their extensions may differ."
        pairs = pair_up(by_name(found_a), by_name(found_b), where, hint)
        selected = self.splits.select(split, pairs, where)
        description = f"{self.splits.in_words(split, selected, pairs)} in {where}"
        left_out = self.splits.left_out(split, left_out_below(root, found_a, found_b))
        return PairedImages(list(selected.values()), description, self.reading, left_out)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.folders.available(find_root(self.root))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)
