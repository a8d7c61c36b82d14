"""Pairs in two image columns of a table: a dataset of the Hugging Face hub, or Parquet files on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np
from annotated_types import Gt, MinLen
from numpy.typing import NDArray
from typing_extensions import override

from genlab import MAX_PIXELS, Alpha, Choice, DataError, Dataset, Pairs, SideName, Split
from genlab_images.colors import labels_side
from genlab_images.paired import PairedImages, counted
from genlab_images.reading import Reading
from genlab_images.table import HubTable, explained, quiet
from genlab_images.table_rows import EncodedRows, RowFiles, Span, shared_rows, spans_of

if TYPE_CHECKING:
    import datasets

_LOOKED_AT = 8


class HuggingFace(Dataset):
    """A dataset of the Hugging Face hub with two columns of images, or a copy of one on this machine.

    On this machine it may be a Parquet file, a folder of Parquet files, or a folder of images with a metadata.csv
    whose columns `a_file_name` and `b_file_name` name the images of columns `a` and `b`. Paths in a table are relative
    to its folder and lead to files in it, links followed. Code that comes with a dataset is never run.

    Args:
        path: an id on the hub, such as `huggan/facades`, or a path; a relative one is taken from the working directory.
        a: the column with the first side's images.
        b: the column with the second side's images.
        train: the training pairs, as a split or a part of one, such as `train[:500]` or `train[:90%]`.
        validation: the validation pairs, likewise.
        test: the test pairs, likewise, which no training reads; without such a split there are none.
        config: which configuration to take of a dataset that has several.
        revision: a branch, tag or commit on the hub.
        outside_files: whether rows may name files outside of the table's folder (of its copy from the hub, in the
            hub's cache), wherever they lie on this machine.
        label_side: the side that is known to be a label map. The columns are swapped if the images say it is the other
            one, as a label map has few colors.
        alpha: whether alpha channels are dropped, which is reported, or are a side's last band.
        max_pixels: the most pixels of an image; larger ones are refused, as a small file can hold very many.
    """

    def __init__(
        self,
        *,
        path: Annotated[str, MinLen(1)],
        a: str,
        b: str,
        train: str = "train[:90%]",
        validation: str = "train[90%:]",
        test: str = "test",
        config: str | None = None,
        revision: str | None = None,
        outside_files: bool = False,
        label_side: SideName | None = None,
        alpha: Alpha = "drop",
        max_pixels: Annotated[int, Gt(0)] = MAX_PIXELS,
    ) -> None:
        if a == b:
            raise ValueError(f'a and b are both "{a}": each side needs a column of its own')
        if train == validation:
            raise ValueError(f'train and validation are both "{train}": validation needs pairs that are not trained on')
        self.table = HubTable(path, config, revision)
        self.columns = (a, b)
        self.outside_files = outside_files
        self.splits: dict[Split, str] = {"train": train, "validation": validation, "test": test}
        self.label_side = label_side
        self.reading = Reading(alpha, max_pixels)

    @override
    def probe(self) -> None:
        self.table.probe()

    @override
    def choose(self) -> Choice:
        """This one; a path on this machine is written down as an absolute one."""
        local = self.table.local
        return Choice(self, settings={"path": str(local.absolute())} if local else {})

    @override
    def open(self, split: Split) -> Pairs:
        columns, note = self._ordered
        rows = self._rows(split, columns)
        part = f"{self.table.path}, {self.splits[split]}"
        return PairedImages(rows, f"{counted(len(rows))} of {part}{note}", self.reading)

    @override
    def read(self, path: Path, side: SideName) -> NDArray[np.generic]:
        return self.reading.file(path)

    @override
    def available_splits(self) -> Sequence[Split]:
        """The test split is there if the table has it, and it shares no rows with the others."""
        trained_on = self._spans
        try:
            self._spans_of_test(trained_on)
        except DataError:
            return ("train", "validation")
        return ("train", "validation", "test")

    @cached_property
    def _builder(self) -> datasets.DatasetBuilder:
        return self.table.open()

    @cached_property
    def _spans(self) -> dict[Split, list[Span]]:
        """Rows of the splits that a training reads."""
        found: dict[Split, list[Span]] = {"train": self._find("train"), "validation": self._find("validation")}
        self._refuse_shared(found, "train", "validation")
        return found

    def _spans_of_test(self, others: Mapping[Split, list[Span]]) -> list[Span]:
        found: dict[Split, list[Span]] = {**others, "test": self._find("test")}
        for split in others:
            self._refuse_shared(found, split, "test")
        return found["test"]

    def _find(self, split: Split) -> list[Span]:
        sizes = {name: info.num_examples for name, info in (self._builder.info.splits or {}).items()}
        return spans_of(self.splits[split], sizes, f"{self.table.path}, {split}")

    def _refuse_shared(self, spans: Mapping[Split, list[Span]], one: Split, other: Split) -> None:
        if both := shared_rows(spans[one], spans[other]):
            what = f"{one} and {other} share pairs: rows {both.start} to {both.stop - 1} of {both.split}"
            hint = 'Take different parts, such as train = "train[:90%]" and validation = "train[90%:]".'
            raise DataError(what, where=self.table.path, hint=hint)

    def _rows(self, split: Split, columns: tuple[str, str]) -> EncodedRows:
        of_split = self._spans_of_test(self._spans) if split == "test" else self._spans[split]
        with quiet(), explained(self.table.path):
            table = cast("datasets.Dataset", self._builder.as_dataset(split=self.splits[split]))
        files = RowFiles(self.table.folder, self.outside_files)
        return EncodedRows(table, columns, of_split, self.table.path, files)

    @cached_property
    def _ordered(self) -> tuple[tuple[str, str], str]:
        """The columns of sides a and b, and what to say about it; a few training pairs tell where the labels are."""
        if self.label_side is None:
            return self.columns, ""
        pairs = PairedImages(self._rows("train", self.columns), "", self.reading)
        some = np.linspace(0, len(pairs) - 1, min(len(pairs), _LOOKED_AT), dtype=int)
        found = labels_side([(pair.a, pair.b) for pair in map(pairs.__getitem__, some.tolist())])
        if found is None:
            return self.columns, "; the colors do not tell which column holds the label maps"
        if "ab"[found] == self.label_side:
            return self.columns, ""
        a, b = self.columns
        return (b, a), f"; columns swapped, as {self.columns[found]} holds the label maps"
