"""The rows of a table that a split means, and the two images in each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from genlab import DataError, ImageSource
from genlab_images.paired import EncodedPair
from genlab_images.table import explained

if TYPE_CHECKING:
    import datasets


class Span(NamedTuple):
    """Consecutive rows of one of a table's splits, without the row at `stop`."""

    split: str
    start: int
    stop: int


def spans_of(spec: str, sizes: Mapping[str, int], where: str) -> list[Span]:
    """Rows that a specification such as `train[:90%]` selects, given the number of rows of each split.

    Raises:
        DataError: there is no such split, or no row is meant.
    """
    import datasets

    there = ", ".join(f"{name} ({count} rows)" for name, count in sizes.items())
    hint = f"The splits there are: {there}. A part of one is written like train[:500] or train[90%:]."
    try:
        instructions = datasets.ReadInstruction.from_spec(spec).to_absolute(dict(sizes))
    except ValueError as error:
        raise DataError(f'unknown split "{spec}"', where=where, hint=hint) from error
    found = [Span(each.splitname, each.from_, each.to) for each in instructions]
    if not any(span.start < span.stop for span in found):
        raise DataError(f'no row is in the split "{spec}"', where=where, hint=hint)
    return found


def shared_rows(these: Iterable[Span], those: Iterable[Span]) -> Span | None:
    """Rows that are in both, if any."""
    for this, that in product(these, those):
        both = Span(this.split, max(this.start, that.start), min(this.stop, that.stop))
        if this.split == that.split and both.start < both.stop:
            return both
    return None


class RowFiles(NamedTuple):
    """Files that the rows of a table may name.

    Args:
        folder: the table's, in which they lie; paths are relative to it.
        outside: whether they may lie elsewhere.
    """

    folder: Path
    outside: bool

    def find(self, name: str, where: str) -> Path:
        """Location of a file that a row names, with its links followed; `DataError` if it may not name it."""
        try:
            path = Path(os.path.realpath(self.folder / name))
        except ValueError as error:  # for a null character
            raise DataError(f"this is not a path: {name!a}", where=where) from error
        if self.outside or path.is_relative_to(os.path.realpath(self.folder)):
            return path
        what = f"the row names a file outside of the table's folder, {self.folder}: {name!a}"
        hint = "If you trust the table, set outside_files = true; its rows may then name any file on this machine."
        raise DataError(what, where=where, hint=hint)


class EncodedRows(Sequence[EncodedPair]):
    """The pairs of images in a table's rows, not decoded yet.

    Args:
        table: the rows.
        columns: of the first side's images and of the second's.
        spans: which rows these are, in order: a pair's key is its split and its row there, such as `train/17`.
        where: how to name the table to a person.
        files: which files its rows may name.

    Raises:
        DataError: a column is not there, or does not hold images; or, for a row, it names a file that it may not.
    """

    def __init__(
        self, table: datasets.Dataset, columns: tuple[str, str], spans: Sequence[Span], where: str, files: RowFiles
    ) -> None:
        _check_columns(table.features, columns, where)
        self.table = _encoded(table, columns)
        self.columns = columns
        self.numbers = [(span.split, row) for span in spans for row in range(span.start, span.stop)]
        self.where = where
        self.files = files

    @override
    def __len__(self) -> int:
        return len(self.numbers)

    # Only integer indices are supported.
    @override
    def __getitem__(self, index: int) -> EncodedPair:  # pyright: ignore[reportIncompatibleMethodOverride]
        split, number = self.numbers[index]
        with explained(f"{self.where}, row {number} of {split}"):
            row = self.table[index]
        a, b = (
            _source(row[column], f"{self.where}, row {number} of {split}, column {column}", self.files)
            for column in self.columns
        )
        return EncodedPair(f"{split}/{number}", a, b)


def _encoded(table: datasets.Dataset, columns: tuple[str, str]) -> datasets.Dataset:
    import datasets

    table = table.select_columns(list(columns))
    for column in columns:
        table = table.cast_column(column, datasets.Image(decode=False))
    return table


def _check_columns(features: datasets.Features, columns: tuple[str, str], where: str) -> None:
    images = ", ".join(name for name, feature in features.items() if _holds_images(feature)) or "none"
    for column in columns:
        if column not in features:
            raise DataError(f'no column "{column}"', where=where, hint=f"The columns with images are: {images}.")
        if not _holds_images(features[column]):
            what = f'the column "{column}" does not hold images, but {features[column]}'
            raise DataError(what, where=where, hint=f"The columns with images are: {images}.")


def _holds_images(feature: object) -> bool:
    """True if a column is declared as images, or holds bytes, as in Parquet files that `datasets` did not write."""
    import datasets

    if isinstance(feature, datasets.Value):
        return feature.dtype in {"binary", "large_binary"}
    return isinstance(feature, datasets.Image) or (isinstance(feature, dict) and "bytes" in feature)


def _source(image: Mapping[str, Any] | None, where: str, files: RowFiles) -> ImageSource:
    """An image that is left out counts as an empty one."""
    if image and image["bytes"] is None and image["path"] is not None:
        return ImageSource(files.find(image["path"], where), f"{where} ({image['path']})")
    return ImageSource(image["bytes"] or b"" if image else b"", where)
