"""Pairs kept as two files of one name, in two folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageFolder, Pairs, SideName, Split, find_images
from genlab_images.folders import find_folder, find_root, is_folder, left_out_below, subfolders
from genlab_images.paired import PairedImages
from genlab_images.partners import index_by_name, pair_up
from genlab_images.reading import Reading
from genlab_images.splits import Share, Splits

_LAYOUTS = ("{side}/{split}", "{split}/{side}", "{split}{side}", "{split}_{side}", "{side}_{split}", "{side}")


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
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        if a == b:
            raise ValueError(f'a and b are both "{a}": each side needs a folder of its own')
        _check_layout(layout, validation)
        self.root = root
        self.names: dict[SideName, str] = {"a": a, "b": b}
        self.layout = layout
        self.splits = Splits(train, validation)
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        found_a, found_b = (find_images(self._folder(root, side, split)) for side in self.names)
        where = f"{found_a.folder} and {found_b.folder}"
        hint = "Both images of a pair have the same name in the two folders; only their extensions may differ."
        pairs = pair_up(_without_extension(found_a), _without_extension(found_b), where, hint)
        selected = self.splits.select(split, pairs, where)
        description = f"{self.splits.in_words(selected, pairs)} in {where}"
        left_out = self.splits.left_out(split, left_out_below(root, found_a, found_b))
        return PairedImages(list(selected.values()), description, self.reading, left_out)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)

    def _folder(self, root: Path, side: SideName, split: Split) -> Path:
        """A side's folder of a split; the hint of a `DataError` has the layout that is there."""
        settings = {"{side}": side, "{split}": self.splits.setting(split)}
        folder = root
        try:
            for part in Path(self.layout).parts:
                named_by = [setting for word, setting in settings.items() if word in part] or ["layout"]
                folder = find_folder(folder, self._path(part, side, split), *named_by)
        except DataError as error:
            other = next((layout for layout in _LAYOUTS if self._is_there(root, layout, split)), None)
            if other is None:
                raise
            paths = " and ".join(self._path(other, side, split) for side in self.names)
            advice = f'The folders {paths} are there: set layout = "{other}"'
            if "{split}" not in other:
                advice += " and validation to a share of their pairs, such as 0.1"
            raise DataError(error.what, where=error.where, hint=f"{advice}.") from error
        return folder

    def _path(self, layout: str, side: SideName, split: Split) -> str:
        words = {"{side}": self.names[side], "{split}": self.splits.place(split)}
        return re.sub(r"\{side\}|\{split\}", lambda word: words[word[0]], layout)

    def _is_there(self, root: Path, layout: str, split: Split) -> bool:
        """True if both sides have folders of that layout, and, without one for each split, only files in them."""
        folders = [root / self._path(layout, side, split) for side in self.names]
        if not all(map(is_folder, folders)):
            return False
        return "{split}" in layout or not any(map(subfolders, folders))


def _check_layout(layout: str, validation: str | Share) -> None:
    rest = layout.replace("{side}", "", 1).replace("{split}", "", 1)
    if "{side}" not in layout or "{" in rest or "}" in rest:
        what = "expected a layout with {side} once, {split} at most once, and no other braces"
        raise ValueError(f'{what}, got "{layout}"')
    if "{split}" not in layout and isinstance(validation, str):
        what = f'layout is "{layout}", which both splits share, and validation is a folder, "{validation}"'
        raise ValueError(f"{what}: set validation to a share such as 0.1, or put {{split}} into layout")


def _without_extension(found: ImageFolder) -> dict[str, Path]:
    """A side's files by their paths without extension."""
    names = (normalize("NFC", file.with_suffix("").as_posix()) for file in found.files)
    return index_by_name((name, found.folder / file) for name, file in zip(names, found.files, strict=True))
