import math
import tomllib
from collections.abc import Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MaxLen, MinLen, MultipleOf
from hypothesis import given, strategies as st
from pydantic import BaseModel, ConfigDict, Field

from genlab.config.validate import bare, describe, dotted, inline, nearest, shown, validate_table
from genlab.errors import Fault


class Norm(Enum):
    BATCH = "batch"
    NONE = "none"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    levels: Annotated[int, Ge(1)] = Field(8, description="how deep it is.")
    rate: Annotated[float, Gt(0)] = 0.1
    flip: bool = False
    word: str = ""
    norm: Literal["batch", "none"] = "batch"
    kind: Norm = Norm.BATCH
    skips: bool | list[int] = True
    size: int | tuple[int, int] = 256
    betas: tuple[float, float] = (0.5, 0.999)
    root: Path = Path()
    more: list[dict[str, Any]] = []
    threads: int | None = None


def checked(**table: Any) -> Model:
    model, faults = validate_table(Model, table, ("generator",), 'generator "unet"')
    assert faults == []
    assert model is not None
    return model


def faults(_model: type[BaseModel] = Model, **table: Any) -> list[Fault]:
    model, found = validate_table(_model, table, ("generator",), 'generator "unet"')
    assert model is None
    assert found
    return found


def fault(**table: Any) -> Fault:
    (found,) = faults(**table)
    return found


def test_toml_gives_paths_pairs_and_choices() -> None:
    model = checked(root="a/b", betas=[0, 1], size=[1, 2], kind="none", rate=1)
    assert (model.root, model.betas, model.size, model.kind) == (Path("a/b"), (0.0, 1.0), (1, 2), Norm.NONE)
    assert isinstance(model.rate, float)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({"levels": True}, "`levels`: expected an integer of at least 1, got true"),
        ({"levels": 4.0}, "`levels`: expected an integer of at least 1, got 4.0"),
        ({"levels": "4"}, '`levels`: expected an integer of at least 1, got "4"'),
        ({"levels": 0}, "`levels`: expected an integer of at least 1, got 0"),
        ({"levels": [4]}, "`levels`: expected an integer of at least 1, got [4]"),
        ({"rate": "2e-4"}, '`rate`: expected a number above 0, got "2e-4"'),
        ({"rate": False}, "`rate`: expected a number above 0, got false"),
        ({"rate": math.nan}, "`rate`: expected a number above 0, got nan"),
        ({"flip": 1}, "`flip`: expected true or false, got 1"),
        ({"flip": "true"}, '`flip`: expected true or false, got "true"'),
        ({"word": 3}, "`word`: expected text, got 3"),
        ({"root": ["a"]}, '`root`: expected a path, got ["a"]'),
        ({"norm": "btch"}, '`norm`: expected "batch" or "none", got "btch"'),
        ({"kind": "btch"}, '`kind`: expected "batch" or "none", got "btch"'),
        ({"norm": {"a": 1}}, '`norm`: expected "batch" or "none", got { a = 1 }'),
        ({"betas": [0.5]}, "`betas`: expected a list of 2 values, each a number, got [0.5]"),
        ({"betas": 0.5}, "`betas`: expected a list of 2 values, each a number, got 0.5"),
        ({"skips": "yes"}, '`skips`: expected true or false, or a list of integers, got "yes"'),
        ({"size": [3]}, "`size`: expected an integer, or a list of 2 values, each an integer, got [3]"),
        ({"more": 3}, "`more`: expected a list of tables, got 3"),
        ({"threads": "all"}, '`threads`: expected an integer, got "all"'),
    ],
)
def test_a_wrong_value_is_told_with_what_is_valid(table: dict[str, Any], what: str) -> None:
    found = fault(**table)
    assert found.what == what
    assert found.path == ("generator", *table)
    assert not found.at_key


@pytest.mark.parametrize(
    ("table", "index", "what"),
    [
        ({"skips": [1, "x", 3]}, 1, '`skips`: expected true or false, or a list of integers, got "x" as skips[1]'),
        ({"betas": [0.5, "x"]}, 1, '`betas`: expected a list of 2 values, each a number, got "x" as betas[1]'),
        (
            {"size": [1, 2.5]},
            1,
            "`size`: expected an integer, or a list of 2 values, each an integer, got 2.5 as size[1]",
        ),
        ({"more": [{}, 3]}, 1, "`more`: expected a list of tables, got 3 as more[1]"),
    ],
)
def test_a_wrong_item_is_told_once_and_with_its_index(table: dict[str, Any], index: int, what: str) -> None:
    found = fault(**table)
    assert found.what == what
    assert found.path == ("generator", *table, index)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("C:\new\train", """write 'C:\\new\\train' or "C:/new/train"."""),
        ("C:\\data\train", """write 'C:\\data\\train' or "C:/data/train"."""),
        ("~nobody\new", """write '~nobody\\new' or "~nobody/new"."""),
        ("pairs\facades", """write 'pairs\\facades' or "pairs/facades"."""),
        ("\b1\r2\f\u00e9", """write '\\b1\\r2\\f\u00e9' or "/b1/r2/f\u00e9"."""),
    ],
)
def test_a_backslash_of_windows_that_became_another_character_is_told(text: str, hint: str) -> None:
    found = fault(root=text)
    assert found.what == f"`root`: expected a path, got {inline(text)}, which has control characters"
    assert found.hint == f'In "..." a backslash starts an escape sequence: {hint}'
    assert found.path == ("generator", "root")


def test_it_is_told_of_text_too_if_a_drive_begins_it() -> None:
    assert "'C:\\new'" in str(fault(word="C:\new").hint)
    assert checked(word="two\nlines").word == "two\nlines"


def test_a_folder_may_have_such_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "a\tb"
    folder.mkdir()
    assert checked(root=str(folder)).root == folder


def test_all_wrong_items_are_told() -> None:
    assert [found.path[-1] for found in faults(skips=["a", 1, "b"])] == [0, 2]


def test_the_help_of_a_setting_comes_with_its_fault() -> None:
    assert fault(levels=0).hint == "levels: how deep it is."
    assert fault(flip=0).hint is None


def test_an_unknown_key_is_told_with_the_nearest_and_all_that_there_are() -> None:
    found = fault(levls=3)
    assert found.what.startswith('generator "unet" has no setting `levls`; it takes levels, rate, flip, ')
    assert (found.path, found.at_key, found.hint) == (("generator", "levls"), True, "Did you mean `levels`?")


def test_keys_of_the_framework_are_among_those_that_there_are() -> None:
    _, (found,) = validate_table(Model, {"wieght": 3}, (), "loss", also=("name", "weight"))
    assert found.what.endswith(", threads, name, weight")
    assert found.hint == "Did you mean `weight`?"


def test_a_component_without_settings_says_so() -> None:
    class Empty(BaseModel):
        model_config = ConfigDict(extra="forbid")

    assert faults(Empty, x=1)[0].what == 'generator "unet" has no setting `x`; it takes no settings at all'


def test_a_missing_setting_is_told_at_its_table() -> None:
    class Needy(BaseModel):
        root: Path = Field(description="where pairs are.")
        pair: tuple[int, str]

    first, second = faults(Needy)
    assert first == Fault(
        ("generator",), 'generator "unet" needs `root`: a path', "root: where pairs are.", at_key=True
    )
    assert second.what == 'generator "unet" needs `pair`: a list of 2 values: an integer, then text'


def test_all_faults_of_a_table_are_told() -> None:
    assert {found.path[-1] for found in faults(levls=3, rate="x", skips="y", size=[1, 2, 3])} == {
        "levls",
        "rate",
        "skips",
        "size",
    }


def test_a_table_too_deep_for_json_is_told() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    assert fault(skips=deep).path == ("generator",)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an integer"),
        (Annotated[int, Interval(ge=1, lt=4)], "an integer of at least 1 and below 4"),
        (Annotated[float, Ge(0), Le(1)], "a number of at least 0 and of at most 1"),
        (Annotated[float, Field(gt=0, lt=2)], "a number above 0 and below 2"),
        (Annotated[int, MultipleOf(4)], "an integer that is a multiple of 4"),
        (Annotated[str, MinLen(1)], "text (not empty)"),
        (Annotated[str, Len(2, 10)], "text (at least 2 letters and at most 10 letters)"),
        (Annotated[list[int], MinLen(1)], "a list of integers (not empty)"),
        (Annotated[list[int], MinLen(10), MaxLen(20)], "a list of integers (at least 10 and at most 20)"),
        (list[Annotated[int, Ge(1), Lt(9)]], "a list of integers of at least 1 and below 9"),
        (list[Literal["a", "b"]], 'a list of values, each "a" or "b"'),
        (list[list[int]], "a list of values, each a list of integers"),
        (list[int | str], "a list of values, each an integer, or text"),
        (tuple[int, ...], "a list of integers"),
        (Sequence[str], "a list of texts"),
        (set[int], "a list of integers"),
        (tuple[int, str], "a list of 2 values: an integer, then text"),
        (Literal["only"], '"only"'),
        (Literal[1, 16, "x"], '1, 16 or "x"'),
        (Norm, '"batch" or "none"'),
        (int | None, "an integer"),
        (Annotated[int, Ge(1)] | None, "an integer of at least 1"),
        (dict[str, int], "a table"),
        (list, "a list"),
        (Any, "anything"),
    ],
)
def test_types_are_described_in_words(annotation: Any, words: str) -> None:
    assert describe(annotation) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1e-08, "1e-08"),
        (math.inf, "inf"),
        ('ä "b" \\ \n \x7f', '"ä \\"b\\" \\\\ \\n \\u007f"'),
        ([1, [2.5, "x"]], '[1, [2.5, "x"]]'),
        ({"a b": 1, "c": {}}, '{ "a b" = 1, c = {} }'),
        (date(2024, 1, 2), "2024-01-02"),
    ],
)
def test_values_are_shown_as_toml(value: object, text: str) -> None:
    assert inline(value) == text
    assert tomllib.loads(f"x = {text}") == {"x": value}


plain = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters(codec="utf-8")))


@given(st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_whatever_is_shown_reads_the_same(value: object) -> None:
    assert tomllib.loads(f"x = {inline(value)}") == {"x": value}


@pytest.mark.parametrize("length", [60, 61])
def test_a_value_is_cut_at_60_letters(length: int) -> None:
    whole = f'"{"x" * (length - 2)}"'
    assert shown("x" * (length - 2)) == (whole if length == 60 else f'"{"x" * 56}...')


@pytest.mark.parametrize(("key", "text"), [("a-b_1", "a-b_1"), ("a b", '"a b"'), ("", '""'), ("é", '"é"')])
def test_keys_are_quoted_where_they_must_be(key: str, text: str) -> None:
    assert bare(key) == text


def test_keys_are_joined_as_a_person_writes_them() -> None:
    assert dotted(("data", "sources", 1, "count")) == "data.sources[1].count"
    assert dotted(("losses", "my loss", "weight")) == 'losses."my loss".weight'
    assert dotted(("seed",)) == "seed"


def test_the_nearest_name_is_only_told_if_it_is_near() -> None:
    assert nearest("unett", ["resnet", "unet"]) == "Did you mean `unet`?"
    assert nearest("zzz", ["resnet", "unet"]) is None
    assert nearest("x", []) is None
