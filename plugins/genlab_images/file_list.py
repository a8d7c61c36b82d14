"""Pairs kept as a list of files, in CSV or JSON Lines."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated
from unicodedata import normalize

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, DataError, Dataset, ImageSource, Pairs, SideName, Split
from genlab_images.csv_jsonl import Row, read_rows
from genlab_images.folders import find_root, listed, names_in
from genlab_images.paired import EncodedPair, PairedImages
from genlab_images.reading import Reading
from genlab_images.splits import Share, Splits


class FileList(Dataset):
    """A list with the paths of both images of each pair: a CSV file, or JSON Lines, with a column for each side.

    The first line of a CSV file names its columns; other columns than the two are not read. Paths are relative to the
    list's folder, or absolute, and may lead outside of it. The path of the first side is the pair's key, and must be
    unique. Images are read as `side_by_side` reads them.

    Args:
        root: the folder that holds the lists; a relative path is taken from the working directory.
        a: the column with the first side's paths.
        b: the column with the second side's paths.
        train: the list of training pairs, in `root`: a .csv or a .jsonl file.
        validation: the list of validation pairs, in `root`; or a share, such as 0.1, of the training list's pairs,
            drawn by a hash of their keys.
        test: the list of test pairs, in `root`, which no training reads; without it there are none.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        root: Path,
        a: str = "a",
        b: str = "b",
        train: str = "train.csv",
        validation: str | Share = "val.csv",
        test: str = "test.csv",
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        if a == b:
            raise ValueError(f'a and b are both "{a}": each side needs a column of its own')
        self.root = root
        self.columns = (a, b)
        self.splits = Splits(train, validation, test)
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        find_root(self.root)

    @override
    def open(self, split: Split) -> Pairs:
        root = find_root(self.root)
        self.splits.require_own_place(split, _files_in(root), str(root))
        file = _find_list(root, self.splits.place(split), self.splits.setting(split))
        pairs = _read_pairs(file, self.columns)
        selected = self.splits.select(split, pairs, str(file))
        description = f"{self.splits.in_words(split, selected, pairs)} listed in {file}"
        return PairedImages(list(selected.values()), description, self.reading)

    @override
    def available_splits(self) -> Sequence[Split]:
        return self.splits.available(_files_in(find_root(self.root)))

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)


def _files_in(root: Path) -> Callable[[str], bool]:
    """A test of whether a path leads to a file in a folder."""
    return lambda path: os.path.isfile(root / path)  # noqa: PTH113  (Path.is_file raises where it may not be entered)


def _find_list(root: Path, name: str, setting: str) -> Path:
    file = root / name
    if not os.path.exists(file):  # noqa: PTH110  (Path.exists raises where a folder may not be entered)
        lists = [other for other in names_in(root) if other.lower().endswith((".csv", ".jsonl"))]
        there = f"the lists there are {listed(lists)}" if lists else "there is no .csv or .jsonl file"
        raise DataError(f'no file "{name}"; {there}', where=str(root), hint=f'The setting "{setting}" names it.')
    return file


def _read_pairs(file: Path, columns: tuple[str, str]) -> dict[str, EncodedPair]:
    """The pairs of a list, by key; `DataError` names all invalid lines."""
    pairs: dict[str, EncodedPair] = {}
    faults: list[DataError] = []
    for row in read_rows(file, columns):
        try:
            pair = _read_pair(row, columns, file.parent)
            if pair.key in pairs:
                hint = "Remove one of the lines: an image of the first side belongs to one pair."
                what = f'"{pair.key}" is listed already, at {pairs[pair.key].a.where}'
                raise DataError(what, where=row.where, hint=hint)
        except DataError as error:
            faults.append(error)
        else:
            pairs[pair.key] = pair
    if faults:
        raise DataError.listing(faults, f"of {len(pairs) + len(faults):,} lines", str(file))
    if not pairs:
        raise DataError("there are no pairs in this list", where=str(file))
    return pairs


def _read_pair(row: Row, columns: tuple[str, str], folder: Path) -> EncodedPair:
    a, b = (_source(row, column, folder) for column in columns)
    return EncodedPair(normalize("NFC", Path(row.text(columns[0])).as_posix()), a, b)


def _source(row: Row, column: str, folder: Path) -> ImageSource:
    """The image that a column names; `DataError` if there is no such file."""
    text = row.text(column)
    forms = (folder / form for form in (text, normalize("NFC", text), normalize("NFD", text)))
    path = next(filter(os.path.exists, forms), folder / text)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f'column {column}: "{text}" is not a regular file', where=row.where)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a path"
        hint = f"Paths are relative to {folder}, or absolute."
        raise DataError(f"column {column}: {reason}: {text!a}", where=row.where, hint=hint) from error
    return ImageSource(path, f"{row.where}, {path}")
