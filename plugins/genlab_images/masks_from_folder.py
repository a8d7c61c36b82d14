"""Masks of another dataset's pairs, in a folder of images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from genlab import DataError, Dataset, ImageSource, Pair, Pairs, SideImage, SideName, Split, find_images, read_image
from genlab_images.around import Around
from genlab_images.folders import find_folder, find_root, folders_in
from genlab_images.side_folders import by_name


class MasksFromFolder(Around):
    """Another dataset's pairs, with a mask of each: an image that is 0 where a pixel does not count, as in its border.

    Losses and metrics leave such pixels out. A mask has one channel, of 0 and one other value, the size of the larger
    side, and the pair's name: that of its files, with any extension.

    Args:
        source: where the pairs come from.
        root: the folder that holds a folder of masks for each split; a relative path is taken from the working
            directory.
        train: the folder of the training pairs' masks, in `root`; "." is `root` itself.
        validation: the folder of the validation pairs' masks; the same one where `source` draws a share of its pairs.
        test: the folder of the test pairs' masks; without it there are no test pairs.
    """

    def __init__(
        self, *, source: Dataset, root: Path, train: str = "train", validation: str = "val", test: str = "test"
    ) -> None:
        super().__init__(source)
        self.root = root
        self.places: dict[Split, str] = {"train": train, "validation": validation, "test": test}

    @override
    def open(self, split: Split) -> Pairs:
        folder = find_folder(find_root(self.root), self.places[split], split)
        return MaskedPairs(self.chosen.dataset.open(split), folder, by_name(find_images(folder)))

    @override
    def available_splits(self) -> Sequence[Split]:
        has_masks = folders_in(find_root(self.root))
        of_source = super().available_splits()
        return [split for split in of_source if split != "test" or has_masks(self.places[split])]

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.chosen.dataset.read(path, side)


class MaskedPairs(Pairs):
    """The pairs of one split.

    Args:
        source: the pairs, without masks.
        folder: where the masks are.
        files: the masks by name.

    Raises:
        DataError: the source has masks, or no pairs; or, when a pair is read, its mask is missing or no mask.
    """

    has_masks = True

    def __init__(self, source: Pairs, folder: Path, files: Mapping[str, Path]) -> None:
        if source.has_masks or not source.is_paired:
            fault = "have masks already" if source.has_masks else "are of images without pairs, which have no masks"
            hint = "Take the dataset in data.source by itself."
            raise DataError(f"the data in data.source {fault}", where=source.description, hint=hint)
        super().__init__(source.a, source.b, f"{source.description}, masks in {folder}", source.left_out)
        self.is_derived = source.is_derived
        self.source = source
        self.folder = folder
        self.files = files

    @override
    def __len__(self) -> int:
        return len(self.source)

    @override
    def __getitem__(self, index: int) -> Pair:
        pair = self.source[index]
        return pair._replace(mask=_read_mask(self._file(pair.key)))

    @override
    def read_side(self, index: int, side: SideName) -> SideImage:
        return self.source.read_side(index, side)

    @override
    def fingerprint(self) -> str:
        """A hash of the source's and of all masks' names and encoded bytes."""
        digest = hashlib.sha256(self.source.fingerprint().encode())
        for name, file in sorted(self.files.items()):
            digest.update(hashlib.sha256(name.encode()).digest())
            digest.update(hashlib.sha256(ImageSource.of(file).read()).digest())
        return digest.hexdigest()

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those of the source's pairs."""
        return self.source.sizes(side)

    def _file(self, key: str) -> Path:
        name = normalize("NFC", key)
        for known in (name, Path(name).with_suffix("").as_posix()):
            if known in self.files:
                return self.files[known]
        hint = 'A mask has the name of its pair; "train" and "validation" name the folders of masks in "root".'
        raise DataError(f"no mask has its name in {self.folder}", where=key, hint=hint)


def _read_mask(file: Path) -> NDArray[np.bool_]:
    image = read_image(ImageSource.of(file))
    if image.shape[2] != 1:
        raise DataError(f"expected a mask of one channel, got {image.shape[2]}", where=str(file))
    values = np.unique(image)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        given = ", ".join(map(str, values[:4])) + (f" and {len(values) - 4} more" if len(values) > 4 else "")
        hint = "A mask saved as JPEG is blurred: save it as PNG."
        raise DataError(f"expected a mask of 0 and one other value, got {given}", where=str(file), hint=hint)
    return image[..., 0] != 0
