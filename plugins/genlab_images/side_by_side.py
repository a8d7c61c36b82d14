"""Pairs kept as one picture each: the first side on the left, the second on the right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageSource, Pair, Pairs, SideName, Split
from genlab_images.fingerprint import hash_of_pairs
from genlab_images.folders import find_folder, find_root, image_files
from genlab_images.paired import count_of_pairs
from genlab_images.reading import Reading, side_of


class SideBySide(Dataset):
    """Folders of pictures that hold a pair each, side by side: A on the left, B on the right.

    Every split is a folder of images (PNG, JPEG, WebP, BMP, TIFF, NumPy's `.npy`), which may have folders within.
    Values, depth and bands are those of the files; palettes become RGB, and EXIF's orientation is applied.

    Args:
        root: the folder that holds one folder per split; a relative path is taken from the working directory.
        train: the folder of training pairs, in `root`.
        validation: the folder of validation pairs, in `root`.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        train: str = "train",
        validation: str = "val",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        self.root = root
        self.reading = Reading(alpha, max_pixels)
        self.folders: dict[Split, str] = {"train": train, "validation": validation}

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        return SideBySidePairs(find_folder(find_root(self.root), self.folders[split], split), self.reading)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)


class SideBySidePairs(Pairs):
    """The pairs in the pictures of one folder, each decoded when asked for; their headers are all checked at once.

    Raises:
        DataError: there is no picture, or one cannot be read, cannot be halved, or has pixels of another
            type than the first.
    """

    def __init__(self, folder: Path, reading: Reading) -> None:
        self.folder = folder
        self.reading = reading
        self.files = image_files(folder)
        headers = reading.headers([ImageSource.of(folder / file) for file in self.files])
        if odd := [fault for header in headers if (fault := _odd_width(header.width, header.height, header.where))]:
            raise DataError.listing(odd, f"of {len(headers):,} pictures", str(folder))
        self.pixels = reading.pixels(headers)
        side = side_of(self.pixels)
        super().__init__(side, side, f"{count_of_pairs(len(self.files))} in {folder}{reading.note(headers)}")

    @override
    def __len__(self) -> int:
        return len(self.files)

    @override
    def __getitem__(self, index: int) -> Pair:
        file = self.files[index]
        source = ImageSource.of(self.folder / file)
        picture = self.reading.image(source, self.pixels)
        height, width, _ = picture.shape
        if fault := _odd_width(width, height, source.where):
            raise fault
        half = width // 2
        return Pair(file.as_posix(), picture[:, :half], picture[:, half:])

    @override
    def fingerprint(self) -> str:
        """A hash of the files' names and bytes."""
        return hash_of_pairs((file.as_posix(), [ImageSource.of(self.folder / file)]) for file in self.files)


def _odd_width(width: int, height: int, where: str) -> DataError | None:
    if width % 2 == 0:
        return None
    hint = "A picture holds two images of one width side by side, so its width has to be even."
    return DataError(f"the picture is {width} x {height}: it cannot be cut in halves", where=where, hint=hint)
