import pytest

from genlab import RecipeError
from genlab.config.document import read_document


def fault(text: str) -> list[str]:
    """What is shown of a text's fault, line by line."""
    with pytest.raises(RecipeError) as caught:
        read_document(text, "r.toml")
    return str(caught.value).split("\n")


_NO_NULL = (
    "TOML has no null: a key that is left out has its default, or the value of the recipe that is extended."
    ' The word "none" needs its quotes.'
)
_BACKSLASH = (
    "In \"...\" a backslash starts an escape sequence; in '...' it is literal, and paths may have forward slashes."
)
_OPEN = ("r.toml:2:5: unterminated string", "    |     ^")

# The text; then place and words; then where the caret stands under the quoted line; then the hint.
CASES = {
    "a bare word": (
        "[generator]\nname = unet  # the paper's\n",
        "r.toml:2:8: invalid value unet",
        '    |        ^\nStrings need quotes: "unet".',
    ),
    "a bare path": (
        "root = ~/pairs/a",
        "r.toml:1:8: invalid value ~/pairs/a",
        '    |        ^\nStrings need quotes: "~/pairs/a".',
    ),
    "a bare path of Windows": (
        r"root = C:\new pairs\train # mine",
        r"r.toml:1:8: invalid value C:\new pairs\train",
        "    |        ^\nStrings need quotes: 'C:\\new pairs\\train'.",
    ),
    "a bare word in a list": (
        "a = [unet, resnet]",
        "r.toml:1:6: invalid value unet",
        '    |      ^\nStrings need quotes: "unet".',
    ),
    "Python's true": (
        "flip = True",
        "r.toml:1:8: invalid value True",
        "    |        ^\nBooleans are lower-case in TOML: `true`, `false`.",
    ),
    "YAML's no": (
        "flip = no",
        "r.toml:1:8: invalid value no",
        "    |        ^\nBooleans are lower-case in TOML: `true`, `false`.",
    ),
    "nothing in words": (
        "threads = None",
        "r.toml:1:11: invalid value None",
        f"    |           ^\n{_NO_NULL}",
    ),
    "a choice called none": ("norm = none", "r.toml:1:8: invalid value none", f"    |        ^\n{_NO_NULL}"),
    "no value": ("a = 1\nb =\nc = 1", "r.toml:2:4: missing value", "    |    ^"),
    "no value at the end": ("a = 1\nb = \n", "r.toml:2:5: missing value", "    |     ^"),
    "no value at the very end": ("a = 1\nb =", "r.toml:2:4: missing value", "    |    ^"),
    "two signs": ("a == 1", "r.toml:1:4: invalid value", "    |    ^"),
    "no sign": ("seed 3", "r.toml:1:6: expected `=` and a value after the key", "    |      ^"),
    "a colon": ("seed: 3", "r.toml:1:5: expected `=` and a value after the key", "    |     ^"),
    "a comma at the end": ("size = 256,", "r.toml:1:11: expected the end of the line", "    |           ^"),
    "a word of other letters": ("größe = 3", "r.toml:1:3: expected `=` and a value after the key", "    |   ^"),
    "no key": ("= 1", "r.toml:1:1: expected a key, a [table] or a comment", "    | ^"),
    "an open text": ('a = "x\nb = 1\n', "r.toml:1:7: unterminated string", "    |       ^"),
    "an open text at the end": ('a = """x"""\nb = "x', "r.toml:2:5: unterminated string", "    |     ^"),
    "an open text in single quotes": ("a = 'x'\nb = 'x\nc = 1\n", *_OPEN),
    "an open block": ('a = 1\nb = """x\n"y"\n', "r.toml:2:5: unterminated string", "    |     ^^^"),
    "an open block in single quotes": ("a = 1\nb = '''x\n'y'\n", _OPEN[0], "    |     ^^^"),
    "an open array": (
        "a = [1,\n2\nb = 1\n",
        "r.toml:3:1: expected a comma or `]`",
        "    | ^",
    ),
    "no comma": ("a = [1 2]", "r.toml:1:8: expected a comma or `]`", "    |        ^"),
    "an open table": ("[train\nsteps = 1", "r.toml:1:7: expected `]` after the table's name", "    |       ^"),
    "a path of Windows": (
        '[data]\nroot = "C:\\pairs"',
        "r.toml:2:11: invalid escape sequence",
        f"    |           ^^\n{_BACKSLASH}",
    ),
    "a user of Windows": (
        'root = "C:\\Users"',
        "r.toml:1:11: invalid escape sequence",
        f"    |           ^^\n{_BACKSLASH}",
    ),
    "a key twice": (
        "[train]\n  steps = 1 # a\nseed = 1\n  steps = 10 # b\n",
        "r.toml:4:3: duplicate key",
        "    |   ^^^^^",
    ),
    "a value, then a table": ("a = 1\n[ a.b ]\n", "r.toml:2:3: duplicate key", "    |   ^^^"),
    "a table twice": (
        "[a.b]\nx = 1\n[c]\n[a.b]\n",
        "r.toml:4:2: table defined twice",
        "    |  ^^^\nMerge the two.",
    ),
    "a table in braces": (
        "a = { b = 1 }\na.c = 2\n",
        "r.toml:2:1: inline tables cannot be extended",
        "    | ^^^",
    ),
    "anything else": ("a = {b = 1,\n}", "r.toml:1:12: invalid initial character for a key part", "    |            ^"),
}


@pytest.mark.parametrize(("text", "head", "tail"), CASES.values(), ids=CASES)
def test_what_is_no_toml_is_shown_with_its_place(text: str, head: str, tail: str) -> None:
    lines = fault(text)
    assert lines[0] == head
    line = int(head.split(":")[1])
    assert lines[1] == f"  {line} | {text.split(chr(10))[line - 1]}"
    assert "\n".join(lines[2:]) == tail


def test_ends_of_lines_as_on_windows_change_nothing() -> None:
    assert fault('a = 1\r\nb = "x\r\n')[:2] == ["r.toml:2:7: unterminated string", '  2 | b = "x']


def test_a_value_over_several_lines_is_shown_where_it_ends() -> None:
    """No key stands on that line to point at."""
    assert fault("a = 1\na = [\n2,\n]\n") == ["r.toml:4:2: duplicate key", "  4 | ]", "    |  ^"]
