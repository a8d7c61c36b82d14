"""Rows of CSV and JSON Lines files, each with its file and line for messages."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from genlab import DataError, ImageSource


class Row(NamedTuple):
    """A row of a list.

    Args:
        where: its file and line, as `train.csv:7`.
        values: by column.
    """

    where: str
    values: Mapping[str, Any]

    def text(self, column: str) -> str:
        """The text in a column; `DataError` if there is none."""
        _require_columns([column], self.values, self.where)
        value = self.values[column]
        if not isinstance(value, str) or not value:
            raise DataError(f'the column "{column}" holds {json.dumps(value)}, not a path', where=self.where)
        return value


def read_rows(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a `.csv` file, whose first line names the columns, or of a `.jsonl` file with an object a line.

    Args:
        file: the list.
        columns: names that the first line of a CSV must have.

    Raises:
        DataError: it cannot be read, a line is invalid, or a column is missing.
    """
    if file.suffix.lower() not in (".csv", ".jsonl"):
        raise DataError(
            f"expected a .csv or a .jsonl file, got {file.suffix or 'one without an extension'}", where=str(file)
        )
    try:
        text = ImageSource.of(file).read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"it is not UTF-8: {error.reason}", where=str(file), hint="Save it as UTF-8.") from error
    return _csv_rows(text, columns, str(file)) if file.suffix.lower() == ".csv" else _json_rows(text, str(file))


def _csv_rows(text: str, columns: Sequence[str], where: str) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        for values in filter(None, lines):
            place = f"{where}:{lines.line_num}"
            if not header:
                header = values
                _refuse_repeated(header, place)
                _require_columns(columns, header, place)
            elif len(values) != len(header):
                raise DataError(f"expected {len(header)} values, as the first line has, got {len(values)}", where=place)
            else:
                yield Row(place, dict(zip(header, values, strict=True)))
    except csv.Error as error:
        raise DataError(f"the line is not CSV: {error}", where=f"{where}:{lines.line_num}") from error


def _require_columns(columns: Iterable[str], there: Collection[str], where: str) -> None:
    for column in columns:
        if column not in there:
            hint = f"The columns there are: {', '.join(there) or 'none'}."
            raise DataError(f'no column "{column}"', where=where, hint=hint)


def _refuse_repeated(header: list[str], where: str) -> None:
    if repeated := [name for name in header if header.count(name) > 1]:
        raise DataError(f'two columns are called "{repeated[0]}"', where=where, hint="Rename one of them.")


def _object(where: str, members: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_repeated([name for name, _ in members], where)
    return dict(members)


def _json_rows(text: str, where: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{where}:{number}"
        try:
            values = json.loads(line, object_pairs_hook=partial(_object, place))
        except (ValueError, RecursionError) as error:
            raise DataError(f"the line is not JSON: {error}", where=place) from error
        if not isinstance(values, dict):
            raise DataError("the line is not a JSON object", where=place, hint='Such as {"a": "1.jpg", "b": "1.png"}.')
        yield Row(place, values)
