"""Pairs kept as one picture each: the first side on the left, the second on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageSource, Pair, Pairs, SideName, Split, find_images
from genlab_images.fingerprint import hash_of_pairs
from genlab_images.folders import find_folder, find_root, folders_in, left_out_below
from genlab_images.reading import Reading, side_of
from genlab_images.splits import Share, Splits


class SideBySide(Dataset):
    """Folders of pictures that hold a pair each, side by side: A on the left, B on the right.

    Every split is a folder of images (PNG, JPEG, WebP, BMP, TIFF, NumPy's `.npy`), which may have folders within, or
    validation pairs are drawn from the training folder's. Values, depth and bands are those of the files; palettes
    become RGB, and EXIF's orientation is applied.

    Args:
        root: the folder that holds one folder per split; a relative path is taken from the working directory.
        train: the folder of training pairs, in `root`; "." is `root` itself.
        validation: the folder of validation pairs, in `root`; or a share, such as 0.1, of the training folder's pairs,
            drawn by a hash of their names.
        test: the folder of test pairs, in `root`, which no training reads; without it there are none.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        train: str = "train",
        validation: str | Share = "val",
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
        pictures = self.splits.select(split, files, str(found.folder))
        description = f"{self.splits.in_words(split, pictures, files)} in {found.folder}"
        left_out = self.splits.left_out(split, left_out_below(root, found))
        return SideBySidePairs(pictures, description, self.reading, left_out)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.splits.available(folders_in(find_root(self.root)))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)


class SideBySidePairs(Pairs):
    """The pairs in pictures, each decoded when asked for; their headers are all checked at once.

    Args:
        pictures: by the keys of their pairs, at least one.
        description: one line for a person.
        reading: how images are read.
        left_out: names of files among the data that are not read, by kind.

    Raises:
        DataError: a picture cannot be read, cannot be halved, or has pixels of another type than the first.
    """

    def __init__(
        self,
        pictures: Mapping[str, ImageSource],
        description: str,
        reading: Reading,
        left_out: Mapping[str, Sequence[str]],
    ) -> None:
        self.pictures = list(pictures.items())
        self.reading = reading
        headers = reading.headers(list(pictures.values()))
        if odd := [fault for header in headers if (fault := _odd_width(header.width, header.height, header.where))]:
            raise DataError.listing(odd, f"of {len(headers):,} pictures", description)
        self._sizes = [(header.height, header.width // 2) for header in headers]
        self.pixels = reading.pixels(headers)
        side = side_of(self.pixels)
        super().__init__(side, side, f"{description}{reading.note(headers)}", left_out)

    @override
    def __len__(self) -> int:
        return len(self.pictures)

    @override
    def __getitem__(self, index: int) -> Pair:
        key, source = self.pictures[index]
        picture = self.reading.image(source, self.pixels)
        height, width, _ = picture.shape
        if fault := _odd_width(width, height, source.where):
            raise fault
        half = width // 2
        return Pair(key, picture[:, :half], picture[:, half:])

    @override
    def fingerprint(self) -> str:
        """A hash of the files' names and bytes."""
        return hash_of_pairs((key, [source]) for key, source in self.pictures)

    @override
    def sizes(self, side: SideName) -> Sequence[tuple[int, int]]:
        """Those of the halves, by the pictures' headers."""
        return self._sizes


def _odd_width(width: int, height: int, where: str) -> DataError | None:
    if width % 2 == 0:
        return None
    hint = "A picture holds two images of one width side by side, so its width has to be even."
    return DataError(f"the picture is {width} x {height}: it cannot be cut in halves", where=where, hint=hint)
