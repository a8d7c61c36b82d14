"""Folders of the two sides: a folder for each side and split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from genlab import DataError, ImageFolder, SideName, Split, find_images
from genlab_images.folders import find_folder, folders_in, is_folder, subfolders
from genlab_images.partners import index_by_name
from genlab_images.splits import Share, Splits

SIDES: tuple[SideName, ...] = ("a", "b")
_LAYOUTS = ("{side}/{split}", "{split}/{side}", "{split}{side}", "{split}_{side}", "{side}_{split}", "{side}")


class SideFolders(NamedTuple):
    """Places of the images of each side and split.

    Args:
        names: the sides' folders.
        layout: where a side's folder of a split is, with `{side}` and `{split}`.
        splits: the places of the splits.
    """

    names: dict[SideName, str]
    layout: str
    splits: Splits

    @staticmethod
    def of(a: str, b: str, layout: str, splits: Splits) -> SideFolders:
        """The places that settings say; `ValueError` if they do not tell the folders apart."""
        if a == b:
            raise ValueError(f'a and b are both "{a}": each side needs a folder of its own')
        _check_layout(layout, splits.validation)
        return SideFolders({"a": a, "b": b}, layout, splits)

    def available(self, root: Path) -> Sequence[Split]:
        """The splits that both sides have folders of."""
        return self.splits.available(lambda place: self._has_place(root, place))

    def _has_place(self, root: Path, place: str) -> bool:
        is_there = folders_in(root)
        return "{split}" in self.layout and all(is_there(self._filled(self.layout, side, place)) for side in self.names)

    def find(self, root: Path, side: SideName, split: Split) -> ImageFolder:
        """The images of a side and split; `DataError` if there are none."""
        if split == "test" and "{split}" not in self.layout:
            what = f'there are no test pairs: layout is "{self.layout}", without folders of splits'
            raise DataError(what, where=str(root), hint='Put {split} into "layout".')
        self.splits.require_own_place(split, lambda place: self._has_place(root, place), str(root))
        return find_images(self._folder(root, side, split))

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
        return self._filled(layout, side, self.splits.place(split))

    def _filled(self, layout: str, side: SideName, place: str) -> str:
        words = {"{side}": self.names[side], "{split}": place}
        return re.sub(r"\{side\}|\{split\}", lambda word: words[word[0]], layout)

    def _is_there(self, root: Path, layout: str, split: Split) -> bool:
        """True if both sides have folders of that layout, and, without one for each split, only files in them."""
        folders = [root / self._path(layout, side, split) for side in self.names]
        if not all(map(is_folder, folders)):
            return False
        return "{split}" in layout or not any(map(subfolders, folders))


def by_name(found: ImageFolder) -> dict[str, Path]:
    """A side's files by their paths without extension."""
    names = (normalize("NFC", file.with_suffix("").as_posix()) for file in found.files)
    return index_by_name((name, found.folder / file) for name, file in zip(names, found.files, strict=True))


def _check_layout(layout: str, validation: str | Share) -> None:
    rest = layout.replace("{side}", "", 1).replace("{split}", "", 1)
    if "{side}" not in layout or "{" in rest or "}" in rest:
        what = "expected a layout with {side} once, {split} at most once, and no other braces"
        raise ValueError(f'{what}, got "{layout}"')
    if "{split}" not in layout and isinstance(validation, str):
        what = f'layout is "{layout}", which both splits share, and validation is a folder, "{validation}"'
        raise ValueError(f"{what}: set validation to a share such as 0.1, or put {{split}} into layout")
