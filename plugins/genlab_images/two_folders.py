"""Pairs kept as two files of one name, in two folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageFolder, ImageSource, Pairs, SideName, Split, find_images
from genlab_images.folders import find_folder, find_root, left_out_below, listed
from genlab_images.paired import EncodedPair, PairedImages, count_of_pairs
from genlab_images.reading import Reading


class TwoFolders(Dataset):
    """Two folders of images, where files of one name make a pair: `A/train/1.jpg` and `B/train/1.png`.

    Names are compared without their extension; folders within a split's folder are part of the name. Images are read
    as `side_by_side` reads them.

    Args:
        root: the folder that holds both sides' folders; a relative path is taken from the working directory.
        a: the first side's folder, in `root`.
        b: the second side's folder, in `root`.
        train: the folder of training images, within each side's folder.
        validation: the folder of validation images, within each side's folder.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        a: str = "A",
        b: str = "B",
        train: str = "train",
        validation: str = "val",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        if a == b:
            raise ValueError(f'a and b are both "{a}": each side needs a folder of its own')
        self.root = root
        self.a = a
        self.b = b
        self.reading = Reading(alpha, max_pixels)
        self.folders: dict[Split, str] = {"train": train, "validation": validation}

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        a = find_folder(find_folder(root, self.a, "a"), self.folders[split], split)
        b = find_folder(find_folder(root, self.b, "b"), self.folders[split], split)
        found_a, found_b = find_images(a), find_images(b)
        files_a, files_b = _files_by_name(found_a), _files_by_name(found_b)
        _check_partners(files_a, files_b, f"{a} and {b}")
        encoded = [
            EncodedPair(name, ImageSource.of(path), ImageSource.of(files_b[name])) for name, path in files_a.items()
        ]
        description = f"{count_of_pairs(len(encoded))} in {a} and {b}"
        return PairedImages(encoded, description, self.reading, left_out_below(root, found_a, found_b))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)


def _files_by_name(found: ImageFolder) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in found.files:
        name = normalize("NFC", file.with_suffix("").as_posix())
        if name in files:
            what = f"{files[name].name} and {file.name} differ only in their extension"
            hint = "Keep one of them: names without extension tell which files make a pair."
            raise DataError(what, where=str((found.folder / file).parent), hint=hint)
        files[name] = found.folder / file
    return files


def _check_partners(files_a: dict[str, Path], files_b: dict[str, Path], where: str) -> None:
    alone_a = [str(path) for name, path in files_a.items() if name not in files_b]
    alone_b = [str(path) for name, path in files_b.items() if name not in files_a]
    parts = [
        f"{len(alone)} of {of} images in {side} have no partner ({listed(alone)})"
        for side, alone, of in (("a", alone_a, len(files_a)), ("b", alone_b, len(files_b)))
        if alone
    ]
    if parts:
        hint = "Both images of a pair have the same name in the two folders; only their extensions may differ."
        raise DataError("; ".join(parts), where=where, hint=hint)
