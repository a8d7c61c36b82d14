"""Images of a folder, each as both sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, Dataset, ImageSource, Pairs, SideName, Split, find_images
from genlab_images.folders import find_folder, find_root, folders_in, left_out_below
from genlab_images.paired import EncodedPair, PairedImages
from genlab_images.reading import Reading
from genlab_images.splits import Share, Splits


class FolderOfImages(Dataset):
    """A folder of images without partners, each as both sides: a source of images whose conditions are made from them.

    Take it as the source of `gray`, `edges`, `holes`, `low_resolution` or `noise`; or by itself for super-resolution,
    where `input.scale` makes conditions smaller. Images are read as `side_by_side` reads them.

    Args:
        root: the folder; a relative path is taken from the working directory.
        train: the folder of training images, in `root`; "." is `root` itself.
        validation: the folder of validation images, in `root`; or a share, such as 0.1, of the training folder's
            images, drawn by a hash of their names.
        test: the folder of test images, in `root`, which no training reads; without it there are none.
        alpha: whether alpha channels are dropped, which is reported, or are the last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        train: str = ".",
        validation: str | Share = 0.1,
        test: str = "test",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        self.root = root
        self.splits = Splits(train, validation, test)
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        self.splits.require_own_place(split, folders_in(root), str(root))
        found = find_images(find_folder(root, self.splits.place(split), self.splits.setting(split)))
        files = {normalize("NFC", file.as_posix()): ImageSource.of(found.folder / file) for file in found.files}
        images = self.splits.select(split, files, str(found.folder), "image")
        description = f"{self.splits.in_words(split, images, files, 'image')} in {found.folder}"
        left_out = self.splits.left_out(split, left_out_below(root, found))
        pairs = [EncodedPair(key, source, source) for key, source in images.items()]
        return PairedImages(pairs, description, self.reading, left_out)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.splits.available(folders_in(find_root(self.root)))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)
