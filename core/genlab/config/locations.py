"""Locations of keys and values in a TOML text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from genlab.config.toml import syntax_tree
from genlab.config.validate import Keys

_WIDTH, _BEFORE = 120, 40


@dataclass(frozen=True)
class Location:
    """A span of one line: line and columns count from 1, `end` is exclusive."""

    line: int
    column: int
    end: int
    value: Location | None = None

    def named(self, source: str) -> str:
        """The location as `source:line:column`."""
        return f"{source}:{self.line}:{self.column}"

    def quoted(self, text: str) -> str:
        """The line, or the part of a long one that has the span, with carets under the span."""
        line = text.split("\n")[self.line - 1].removesuffix("\r")
        first = max(0, self.column - 1 - _BEFORE) if len(line) > _WIDTH else 0
        column, end = self.column - first, min(self.end, len(line) + 1, first + _WIDTH + 1) - first
        line = line[first : first + _WIDTH]
        # Tabs keep their width, so that the carets stay under the span.
        margin = "".join("\t" if letter == "\t" else " " for letter in line[: column - 1])
        carets = "^" * max(1, end - column)
        return f"  {self.line} | {line}\n  {' ' * len(str(self.line))} | {margin}{carets}"


def find_locations(text: str) -> dict[Keys, Location]:
    """Find the location of every key and its value, by the keys (and indices of arrays) that lead to it."""
    finder = _Finder(text.encode().split(b"\n"))
    finder.document(syntax_tree(text))
    return finder.locations


class _Finder:
    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.locations: dict[Keys, Location] = {}
        self.lengths: dict[Keys, int] = {}

    def document(self, root: Node) -> None:
        for node in root.named_children:
            if node.type == "pair":
                self.pair(node, ())
            elif node.type in ("table", "table_array_element"):
                self.table(node)

    def table(self, node: Node) -> None:
        header = next(child for child in node.named_children if "key" in child.type)
        at = self.within_arrays(tuple(map(_name, _parts(header))))
        if node.type == "table_array_element":
            index = self.lengths.get(at, 0)
            self.lengths[at] = index + 1
            at = (*at, index)
        self.locations[at] = self.place(header)
        for length in range(1, len(at)):
            self.locations.setdefault(at[:length], self.place(header))
        for child in node.named_children:
            if child.type == "pair":
                self.pair(child, at)

    def within_arrays(self, names: Keys) -> Keys:
        """`[a.b]` after `[[a]]` is a table of the last element of `a`."""
        at: Keys = ()
        for position, name in enumerate(names):
            at = (*at, name)
            if at in self.lengths and position < len(names) - 1:
                at = (*at, self.lengths[at] - 1)
        return at

    def pair(self, node: Node, at: Keys) -> None:
        key, *_, value = (child for child in node.named_children if child.type != "comment")
        names: Keys = ()
        for part in _parts(key):
            names = (*names, _name(part))
            self.locations.setdefault((*at, *names), self.place(key, last=part))
        self.locations[*at, *names] = self.place(key, value)
        self.value(value, (*at, *names))

    def value(self, node: Node, at: Keys) -> None:
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self.pair(child, at)
        elif node.type == "array":
            items = [child for child in node.named_children if child.type != "comment"]
            for index, item in enumerate(items):
                self.locations[(*at, index)] = self.place(item, item)
                self.value(item, (*at, index))

    def place(self, node: Node, value: Node | None = None, last: Node | None = None) -> Location:
        """Location of a node, up to the end of `last` if that is given, and of the value that belongs to it."""
        row, start = node.start_point
        end_row, end = (last or node).end_point
        line = self.lines[row].removesuffix(b"\r")
        stop = end if end_row == row else len(line)
        # tree-sitter counts bytes; columns count characters.
        column, end_column = (len(line[:offset].decode(errors="replace")) + 1 for offset in (start, stop))
        return Location(row + 1, column, end_column, self.place(value) if value else None)


def _parts(key: Node) -> Iterator[Node]:
    """The parts of a key; a key without dots is its only part."""
    if key.type == "dotted_key":
        for child in key.named_children:
            yield from _parts(child)
    else:
        yield key


def _name(part: Node) -> str:
    # tomllib decodes quoted keys and their escapes.
    return next(iter(tomllib.loads(f"{(part.text or b'').decode()} = 0")))
