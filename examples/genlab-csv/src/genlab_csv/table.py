"""A CSV file that grows while others read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

Cell = str | int | float

_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula, which may run programs or fetch pages."""


class Table:
    """Rows under a head, one a line, as UTF-8.

    Numbers have as many digits as they need to be read back as they were; what is no number is `nan`, `inf` or `-inf`.
    In a text, what is no printable character becomes a space, and one that a spreadsheet would compute gets an
    apostrophe in front.

    Args:
        file: where the rows are.
        columns: the names in the head.
    """

    def __init__(self, file: Path, columns: Sequence[str]) -> None:
        self.file = file
        self.columns = tuple(columns)

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Put these rows, and no others, under the head; a reader sees the old file or the new one."""
        self._replace([_line(self.columns), *map(_line, rows)])

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows. The file is opened for each addition, so that whatever ends the process leaves whole lines."""
        with self.file.open("a", encoding="utf-8", newline="") as file:
            file.write("".join(map(_line, rows)))

    def keep(self, wanted: Callable[[Mapping[str, str]], bool]) -> None:
        """Drop the rows that are not wanted, and lines that were cut short; without a file, begin one."""
        kept = [line for line in self._lines() if (row := self._row(line)) is not None and wanted(row)]
        self._replace([_line(self.columns), *kept])

    def _lines(self) -> list[str]:
        """Those under the head, each with its end."""
        if not self.file.exists():
            return []
        with self.file.open(encoding="utf-8", errors="replace", newline="\n") as file:
            return list(file)[1:]

    def _row(self, line: str) -> dict[str, str] | None:
        """A line's cells by their columns; None if it is not whole."""
        cells = next(csv.reader([line]), list[str]())
        is_whole = line.endswith("\n") and len(cells) == len(self.columns)
        return dict(zip(self.columns, cells, strict=True)) if is_whole else None

    def _replace(self, lines: Iterable[str]) -> None:
        aside = self.file.with_name(f".{self.file.name}.tmp")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        aside.replace(self.file)


def _line(cells: Iterable[Cell]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(_safe(cell) for cell in cells)
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    text = "".join(character if character.isprintable() else " " for character in cell)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
