"""Texts of TOML within the limits of recipes."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest

from genlab.config.toml import NestingError, parse_toml, value_faults


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * 300_000) + " = 1",
        f"[{'.'.join('a' * 300_000)}]",
        "a = " + "[" * 300 + "]" * 300,
        "a = " + "{a = " * 300 + "1" + "}" * 300,
        "a = " + "[" * 300_000,
    ],
)
def test_nesting_without_end_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(NestingError):
        parse_toml(text)
    assert time.monotonic() - began < 10


def test_nesting_of_recipes_is_read() -> None:
    assert parse_toml("[a.b]\nc.d = [[{e = 1}]]") == {"a": {"b": {"c": {"d": [[{"e": 1}]]}}}}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": date(2024, 1, 2)}, "`a`: no setting is a date or time, got 2024-01-02"),
        ({"a": {"b": [date(2024, 1, 2)]}}, r"`a.b[0]`: no setting is a date"),
        ({"a": 2**63}, "got 9223372036854775808"),
        ({"a": -(2**63) - 1}, "got -9223372036854775809"),
    ],
)
def test_a_value_that_no_setting_takes(value: dict[str, Any], words: str) -> None:
    (fault,) = value_faults(value)
    assert words in fault.what


def test_the_largest_integers_are_values() -> None:
    assert value_faults({"a": 2**63 - 1, "b": -(2**63), "c": True}) == []
