"""Pairs kept as one picture each: the first side on the left, the second on the right."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from genlab import DataError, Dataset, ImageSide, Pair, Pairs, Split
from genlab_images.decode import common_form, decode, read_header
from genlab_images.folders import find_folder, find_root, image_files
from genlab_images.paired import count_of_pairs
from genlab_images.source import ImageSource, hash_of_pairs


class SideBySide(Dataset):
    """Folders of pictures that hold a pair each, side by side: A on the left, B on the right.

    Every split is a folder of images (PNG, JPEG, WebP, BMP, TIFF), which may have folders within. An alpha channel is
    dropped, palettes become RGB, EXIF's orientation is applied; gray images keep one channel, of 8 or 16 bits.

    Args:
        root: the folder that holds one folder per split; a relative path is taken from the working directory.
        train: the folder of training pairs, in `root`.
        validation: the folder of validation pairs, in `root`.
    """

    def __init__(self, *, root: Path, train: str = "train", validation: str = "val") -> None:
        self.root = root
        self.folders: dict[Split, str] = {"train": train, "validation": validation}

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        return SideBySidePairs(find_folder(find_root(self.root), self.folders[split], split))


class SideBySidePairs(Pairs):
    """The pairs in the pictures of one folder, each decoded when asked for; their headers are all checked at once.

    Raises:
        DataError: there is no picture, or one cannot be read, cannot be halved, or has another form than the first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = image_files(folder)
        headers = [read_header(ImageSource.of(folder / file)) for file in self.files]
        for header in headers:
            _half(header.width, header.height, header.where)
        self.form = common_form(headers)
        side = ImageSide(channels=self.form.channels)
        super().__init__(side, side, f"{count_of_pairs(len(self.files))} in {folder}")

    @override
    def __len__(self) -> int:
        return len(self.files)

    @override
    def __getitem__(self, index: int) -> Pair:
        file = self.files[index]
        source = ImageSource.of(self.folder / file)
        picture = decode(source, self.form)
        height, width, _ = picture.shape
        half = _half(width, height, source.where)
        return Pair(file.as_posix(), picture[:, :half], picture[:, half:])

    @override
    def fingerprint(self) -> str:
        """A hash of the files' names and bytes."""
        return hash_of_pairs((file.as_posix(), [ImageSource.of(self.folder / file)]) for file in self.files)


def _half(width: int, height: int, where: str) -> int:
    if width % 2:
        hint = "A picture holds two images of one width side by side, so its width has to be even."
        raise DataError(f"the picture is {width} x {height}: it cannot be cut in halves", where=where, hint=hint)
    return width // 2
