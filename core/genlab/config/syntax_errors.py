"""TOML syntax errors, worded for users who do not know TOML's grammar."""

from __future__ import annotations

import re

from genlab.config.backslashes import BACKSLASH
from genlab.config.locations import Location
from genlab.errors import Fault

_NOT_CLOSED = "unterminated string"
_IN_WORDS = {
    "Invalid statement": "expected a key, a [table] or a comment",
    "Expected '=' after a key in a key/value pair": "expected `=` and a value after the key",
    "Expected newline or end of document after a statement": "expected the end of the line",
    "Expected ']' at the end of a table declaration": "expected `]` after the table's name",
    "Unclosed array": "expected a comma or `]`",
    "Unterminated string": _NOT_CLOSED,
    'Expected "\'"': _NOT_CLOSED,
    "Expected \"'''\"": _NOT_CLOSED,
    r"Illegal character '\n'": _NOT_CLOSED,
    "Cannot overwrite a value": "duplicate key",
}
_OPEN = {
    "Unterminated string": ('"""', '"'),
    'Expected "\'"': ("'''", "'"),
    "Expected \"'''\"": ("'''", "'"),
}
_NO_NULL = (
    "TOML has no null: a key that is left out has its default, or the value of the recipe that is extended."
    ' The word "none" needs its quotes.'
)
_ESCAPES = ("Unescaped '\\' in a string", "Invalid hex value")
_TWICE = ("Cannot declare", "Cannot overwrite a value", "Cannot mutate immutable namespace")


def syntax_fault(message: str, name: str, text: str) -> Fault:
    """Convert an error message of tomllib to a fault.

    Args:
        message: ends with `(at line 3, column 5)` or `(at end of document)`.
        name: the recipe's file.
        text: its content.
    """
    what, _, where = message.rpartition(" (at ")
    place = _opening(what, text) or _place(where, text)
    line = text.split("\n")[place.line - 1]
    if what.startswith(_TWICE):
        place = _key_place(line, place)
    if what in _ESCAPES:
        column = line.rfind("\\", 0, place.column) + 1
        place = Location(place.line, column, column + 2)
    given, hint = _in_words(what, line[place.column - 1 :])
    return Fault((), given, hint, place=place.named(name), quote=place.quoted(text))


def _place(where: str, text: str) -> Location:
    numbers = [int(number) for number in re.findall(r"\d+", where)]
    if len(numbers) == 2:
        line, column = numbers
    else:
        lines = text.rstrip().split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    return Location(line, column, column + 1)


def _opening(what: str, text: str) -> Location | None:
    """Location of the quotes that open an unterminated string; tomllib points at the end of the document."""
    if what not in _OPEN:
        return None
    block, single = _OPEN[what]
    quotes = block if text.count(block) % 2 else single
    before = text[: text.rfind(quotes)].split("\n")
    return Location(len(before), len(before[-1]) + 1, len(before[-1]) + 1 + len(quotes))


def _key_place(line: str, place: Location) -> Location:
    """Location of the key; tomllib points behind it or behind its value."""
    key = re.match(r"\s*\[*\s*([^\[\]=#]*[^\[\]=#\s])", line)
    return Location(place.line, key.start(1) + 1, key.end(1) + 1) if key else place


def _in_words(what: str, rest: str) -> tuple[str, str | None]:
    """The error and a hint; `rest` is the line from the location on."""
    if what.startswith("Cannot declare"):
        return "table defined twice", "Merge the two."
    if what.startswith("Cannot mutate"):
        return "inline tables cannot be extended", None
    if what in _ESCAPES:
        return "invalid escape sequence", f"{BACKSLASH}; in '...' it is literal, and paths may have forward slashes."
    if what == "Invalid value":
        return _value_in_words(rest)
    return _IN_WORDS.get(what, what[:1].lower() + what[1:]), None


def _value_in_words(rest: str) -> tuple[str, str | None]:
    word = re.match(r"[A-Za-z_~/](?:[^,\]}#]*[^\s,\]}#])?", rest)
    if not rest.strip() or rest.lstrip().startswith("#"):
        return "missing value", None
    if word is None:
        return "invalid value", None
    if word[0].lower() in ("true", "false", "yes", "no", "on", "off"):
        return f"invalid value {word[0]}", "Booleans are lower-case in TOML: `true`, `false`."
    if word[0].lower() in ("none", "null", "nil"):
        return f"invalid value {word[0]}", _NO_NULL
    quotes = "'" if "\\" in word[0] else '"'
    return f"invalid value {word[0]}", f"Strings need quotes: {quotes}{word[0]}{quotes}."
