"""Pairs kept as two files in one folder, whose names differ in how they end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageFolder, Pairs, SideName, Split, find_images
from genlab_images.folders import find_folder, find_root, folders_in, left_out_below, listed
from genlab_images.paired import PairedImages
from genlab_images.partners import index_by_name, pair_up
from genlab_images.reading import Reading
from genlab_images.splits import Share, Splits


class OneFolder(Dataset):
    """One folder with two images of each pair, whose names differ in how they end: `1_A.jpg` and `1_B.png`.

    What comes before the ending is the pair's name; folders within a split's folder are part of it. Of two endings that
    a name has, the longer counts. A file without a partner is refused, and one of neither ending is left out, which is
    reported. Images are read as `side_by_side` reads them.

    Args:
        root: the folder that holds one folder per split; a relative path is taken from the working directory.
        a: ending of the first side's names, with or without extension: "_photo", ".jpg", or "" for all others;
            "/photo" for `1/photo.jpg`. Upper and lower case are the same.
        b: ending of the second side's names, likewise.
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
        a: str = "_A",
        b: str = "_B",
        train: str = "train",
        validation: str | Share = "val",
        test: str = "test",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        if a.lower() == b.lower():
            raise ValueError(f'a is "{a}" and b is "{b}": each side needs an ending of its own')
        self.root = root
        self.endings: dict[SideName, str] = {"a": normalize("NFC", a), "b": normalize("NFC", b)}
        self.splits = Splits(train, validation, test)
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        self.splits.require_own_place(split, folders_in(root), str(root))
        folder = find_folder(root, self.splits.place(split), self.splits.setting(split))
        found = _with_sides(find_images(folder), self.endings)
        hint = "Both images of a pair have the same name before their ending."
        pairs = pair_up(found.a, found.b, str(folder), hint)
        selected = self.splits.select(split, pairs, str(folder))
        description = f"{self.splits.in_words(split, selected, pairs)} in {folder}"
        left_out = self.splits.left_out(split, left_out_below(root, found.images))
        return PairedImages(list(selected.values()), description, self.reading, left_out)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.splits.available(folders_in(find_root(self.root)))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)


class _Found(NamedTuple):
    """Files of a folder by side and name; those of neither side are left out of the images."""

    a: dict[str, Path]
    b: dict[str, Path]
    images: ImageFolder


def _with_sides(images: ImageFolder, endings: dict[SideName, str]) -> _Found:
    files: defaultdict[SideName | None, list[tuple[str, Path]]] = defaultdict(list)
    for file in images.files:
        side, name = _side_and_name(file, endings)
        files[side].append((name, images.folder / file))
    for side, ending in endings.items():
        if not files[side]:
            what = f'no image has a name that ends in "{ending}"; there are {listed(map(str, images.files))}'
            raise DataError(what, where=str(images.folder), hint=f'The setting "{side}" is that ending.')
    others = {"of neither side": [name for name, _ in files[None]]} if files[None] else {}
    left_out = images._replace(left_out={**images.left_out, **others})
    return _Found(index_by_name(files["a"]), index_by_name(files["b"]), left_out)


def _side_and_name(file: Path, endings: dict[SideName, str]) -> tuple[SideName | None, str]:
    """The side with the longest ending that a file's name has, and its name without that; None if it has neither."""
    name = normalize("NFC", file.as_posix())
    stem = name.removesuffix(file.suffix)
    for side, ending in sorted(endings.items(), key=lambda item: -len(item[1])):
        for whole in (stem, name):
            if whole.lower().endswith(ending.lower()) and len(whole) > len(ending):
                return side, whole[: len(whole) - len(ending)]
    return None, name
