import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import given, strategies as st

from genlab.config.locations import Location, find_locations

TEXT = """\
title = "one" # a comment
a.b . c = 1
"a key" = 'x'
'dotted.key'.x = 2
"\\u00e9 \\"q\\"" = 3
inline = { x = 1, y.z = [2, { deep = 3 }], "p q" = {} }
spread = [
\t10, # ten
\t[20, 30],
\t{ k = 40 },
]
text = \"\"\"
[no.table]
k = 0\"\"\"
[ table . "sub table" ]
v = 1979-05-27T07:32:00Z
[[rows]]
n = 1
[rows.part]
m = 1
[[rows.part.deep]]
d = 1
[[rows.part.deep]]
d = 2
[[rows]]
n = 2
[[rows.part]]
m = 2
[table]
late = true
"""

# By keys: line, column and end of the key, and of the value.
PLACES = {
    ("title",): ((1, 1, 6), (1, 9, 14)),
    ("a",): ((2, 1, 2), None),
    ("a", "b"): ((2, 1, 4), None),
    ("a", "b", "c"): ((2, 1, 8), (2, 11, 12)),
    ("a key",): ((3, 1, 8), (3, 11, 14)),
    ("dotted.key",): ((4, 1, 13), None),
    ("dotted.key", "x"): ((4, 1, 15), (4, 18, 19)),
    ('é "q"',): ((5, 1, 15), (5, 18, 19)),
    ("inline",): ((6, 1, 7), (6, 10, 56)),
    ("inline", "x"): ((6, 12, 13), (6, 16, 17)),
    ("inline", "y", "z"): ((6, 19, 22), (6, 25, 42)),
    ("inline", "y", "z", 0): ((6, 26, 27), (6, 26, 27)),
    ("inline", "y", "z", 1, "deep"): ((6, 31, 35), (6, 38, 39)),
    ("inline", "p q"): ((6, 44, 49), (6, 52, 54)),
    ("spread",): ((7, 1, 7), (7, 10, 11)),
    ("spread", 0): ((8, 2, 4), (8, 2, 4)),
    ("spread", 1, 1): ((9, 7, 9), (9, 7, 9)),
    ("spread", 2, "k"): ((10, 4, 5), (10, 8, 10)),
    ("text",): ((12, 1, 5), (12, 8, 11)),
    ("table",): ((29, 2, 7), None),
    ("table", "sub table"): ((15, 3, 22), None),
    ("table", "sub table", "v"): ((16, 1, 2), (16, 5, 25)),
    ("table", "late"): ((30, 1, 5), (30, 8, 12)),
    ("rows", 0): ((17, 3, 7), None),
    ("rows", 0, "part", "m"): ((20, 1, 2), (20, 5, 6)),
    ("rows", 0, "part", "deep", 0, "d"): ((22, 1, 2), (22, 5, 6)),
    ("rows", 0, "part", "deep", 1, "d"): ((24, 1, 2), (24, 5, 6)),
    ("rows", 1, "n"): ((26, 1, 2), (26, 5, 6)),
    ("rows", 1, "part", 0, "m"): ((28, 1, 2), (28, 5, 6)),
}


def numbers(place: Location) -> tuple[int, int, int]:
    return place.line, place.column, place.end


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("keys", PLACES, ids=str)
def test_keys_and_values_of_every_form_have_their_places(keys: tuple[str | int, ...], ends: str) -> None:
    place = find_locations(TEXT.replace("\n", ends))[keys]
    assert (numbers(place), place.value and numbers(place.value)) == PLACES[keys]


def paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*at, key)
        yield from paths(item, (*at, key))


def test_there_is_a_place_for_everything_and_for_nothing_else() -> None:
    assert set(find_locations(TEXT)) == set(paths(tomllib.loads(TEXT)))


# TOML knows no lone surrogates, and tomli_w writes no control characters in the way that tomllib reads them.
letters = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
scalars = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), letters, st.datetimes(), st.dates())
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3))


@given(st.dictionaries(letters, values, max_size=4), st.booleans())
def test_whatever_tomllib_reads_has_a_place_that_reads_the_same(table: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(table, multiline_strings=multiline)
    locations = find_locations(text)
    assert set(locations) == set(paths(tomllib.loads(text)))
    lines = text.split("\n")
    for keys, place in locations.items():
        if place.value and isinstance(keys[-1], str) and place.value.line == place.line:
            written = lines[place.line - 1][place.column - 1 : place.end - 1]
            read = tomllib.loads(f"{written} = 0")
            while isinstance(read, dict):
                ((name, read),) = read.items()
            assert name == keys[-1]


def test_the_quote_has_its_carets_under_the_place() -> None:
    place = find_locations(TEXT)["inline", "y", "z"]
    assert place.quoted(TEXT).split("\n") == [
        '  6 | inline = { x = 1, y.z = [2, { deep = 3 }], "p q" = {} }',
        "    |                   ^^^",
    ]


def test_tabs_and_letters_beyond_ascii_do_not_move_the_carets() -> None:
    text = "\t\"ü\" = 'äöü'\t# ü\n"
    value = find_locations(text)["ü",].value
    assert value is not None
    assert value.quoted(text) == "  1 | \t\"ü\" = 'äöü'\t# ü\n    | \t      ^^^^^"


@pytest.mark.parametrize("break_within", ["\u2028", "\x85"])
def test_only_what_ends_lines_in_toml_ends_them_here(break_within: str) -> None:
    text = f"a = 'x{break_within}y' # {break_within}\nb = 2\n"
    assert tomllib.loads(text)["b"] == 2
    place = find_locations(text)["b",]
    assert place.quoted(text) == "  2 | b = 2\n    | ^"


def test_a_quote_has_no_carriage_return_and_carets_only_below_the_line() -> None:
    text = 'a = """x\r\ny"""\r\n'
    place = find_locations(text)["a",].value
    assert place is not None
    assert place.quoted(text) == '  1 | a = """x\n    |     ^^^^'
