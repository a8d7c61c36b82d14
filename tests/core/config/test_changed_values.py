import tomllib

import pytest

from genlab.config.changed_values import changed_values

BASE = 'seed = 1\n[data]\nname = "folder"\nsources = [{ name = "a" }]\n[losses."a.b"]\nweight = nan\n'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seed = 1", "seed = 0x1  # hexadecimal", []),
        ("seed = 1", "seed = 1.0", []),
        ("seed = 1", "seed = 2", ["seed: 1 -> 2"]),
        ("seed = 1\n", "", ["seed: 1 -> not set"]),
        ('{ name = "a" }', '{ name = "b" }', ['data.sources: [{ name = "a" }] -> [{ name = "b" }]']),
        ("weight = nan", "weight = inf", ['losses."a.b".weight: nan -> inf']),
        ("weight = nan\n", "", ['losses."a.b".weight: nan -> not set']),
        ("weight = nan", "weight = nan\n[losses.l1]", ["losses.l1: not set -> {}"]),
    ],
)
def test_differences_are_told_by_key(old: str, new: str, told: list[str]) -> None:
    assert old in BASE
    found = changed_values(tomllib.loads(BASE), tomllib.loads(BASE.replace(old, new)))
    assert [str(change) for change in found] == told


@pytest.mark.parametrize(
    ("augment", "told"),
    [
        ({"a": {}, "b": {"c": 1}}, []),
        ({"b": {"c": 1}, "a": {}}, ['augment (order): ["a", "b"] -> ["b", "a"]']),
        ({"a": {}}, ["augment.b.c: 1 -> not set"]),
        ({"d": {}, "b": {"c": 1}, "a": {}}, ["augment.d: not set -> {}"]),
    ],
)
def test_the_order_of_augmentations_counts(augment: dict[str, object], told: list[str]) -> None:
    found = changed_values({"augment": {"a": {}, "b": {"c": 1}}}, {"augment": augment})
    assert [str(change) for change in found] == told
