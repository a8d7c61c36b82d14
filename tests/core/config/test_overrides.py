from typing import Any

import pytest

from genlab import RecipeError
from genlab.config.document import read_document
from genlab.config.overrides import read_assignments

BASE = """\
seed = 1
[data]
name = "folder"
root = "pairs"
[generator]
name = "unet"
levels = 8
[losses.l1]
weight = 100
scale = 2
[train]
steps = 10
"""


def set_over(*assignments: str, base: str = BASE) -> dict[str, Any]:
    return dict(read_assignments(assignments).over(read_document(base, "base.toml")).values)


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("k=200", 200),
        ("k = 2e-4", 2e-4),
        ("k=true", True),
        ("k=[1, 2]", [1, 2]),
        ('k="quoted"', "quoted"),
        ("k='quoted'", "quoted"),
        ("k={ a = 1 }", {"a": 1}),
        ("k=200 # of them", 200),
        ("k=unquoted text", "unquoted text"),
        ("k= ~/pairs/a.b ", "~/pairs/a.b"),
        ("k=C:\\new\\users", "C:\\new\\users"),
        ("k=a = b", "a = b"),
        ('k=say "so"', 'say "so"'),
        ("k=True", "True"),
        ("k=größe", "größe"),
        ("k=", ""),
        ("k=two\nlines", "two\nlines"),
        ("k=1\nother = 2", "1\nother = 2"),
        ("k=1\n[table]\nother = 2", "1\n[table]\nother = 2"),
    ],
)
def test_a_set_value_is_toml_or_else_text(assignment: str, value: object) -> None:
    (read,) = read_assignments([assignment]).values.values()
    assert read == value
    assert type(read) is type(value)


def test_a_set_key_is_dotted_and_may_be_quoted() -> None:
    assert read_assignments(['losses . "my loss".weight=2']).values == {"losses": {"my loss": {"weight": 2}}}


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("train.steps", "expected KEY=VALUE, such as train.steps=200"),
        ("=200", "expected KEY=VALUE, such as train.steps=200"),
        (" =200", "expected KEY=VALUE, such as train.steps=200"),
        ("train steps=200", "invalid key `train steps`; expected one such as train.steps"),
        ("train..steps=200", "invalid key `train..steps`; expected one such as train.steps"),
        (
            "data.sources[0].count=3",
            "invalid key `data.sources[0].count`; expected one such as train.steps\n"
            "Set a list as a whole, such as data.sources=[...].",
        ),
    ],
)
def test_a_set_that_cannot_be_read_says_of_which_form_it_should_be(assignment: str, what: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_assignments(["seed=1", assignment])
    assert str(caught.value) == f"--set {assignment}: {what}"


@pytest.mark.parametrize(
    "assignments", [("data.name=drawn", "data.root=x"), ("data.root=x", "data.name=drawn")], ids=["before", "after"]
)
def test_name_and_settings_of_a_component_may_be_set_in_any_order(assignments: tuple[str, ...]) -> None:
    assert set_over(*assignments)["data"] == {"name": "drawn", "root": "x"}


@pytest.mark.parametrize("turned", [False, True])
def test_name_and_settings_under_a_label_may_be_set_in_any_order(turned: bool) -> None:
    assignments = ["losses.l1.weight=3", "losses.l1.name=l2"]
    assert set_over(*(reversed(assignments) if turned else assignments))["losses"]["l1"] == {"name": "l2", "weight": 3}


def test_the_last_of_two_sets_counts() -> None:
    assert set_over("train.steps=1", "train.steps=2", "seed.x=1", "seed=5") == {
        **read_document(BASE, "").values,
        "train": {"steps": 2},
        "seed": 5,
    }


def test_a_set_is_the_source_of_its_values_alone() -> None:
    document = read_assignments(["generator.levels=4", "data.name=drawn"]).over(read_document(BASE, "base.toml"))
    keys = [("generator", "levels"), ("generator", "name"), ("data",)]
    names = [source and source.name for source in map(document.origin, keys)]
    assert names == ["--set generator.levels=4", "base.toml", "--set data.name=drawn"]
    assert document.name == "base.toml"
