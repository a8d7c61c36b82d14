from __future__ import annotations

import pytest

from genlab import PluginError
from genlab.scaffold.names import LONGEST, names_of

IS = "a name is lower-case words of letters and digits, joined by - or _"
ONE_BETWEEN = f"{IS}: one between two words, and none at the end"
PREFIX = "the package's name begins with \"genlab\" by itself, and the component's does without it"


@pytest.mark.parametrize("given", ["edge-aware", "edge_aware"])
def test_one_name_as_it_is_written_in_each_place(given: str) -> None:
    names = names_of(given)
    assert names.component == "edge_aware"
    assert names.package == "genlab-edge-aware"
    assert names.module == "genlab_edge_aware"
    assert names.cls == "EdgeAware"
    assert names.title == "Edge aware"


@pytest.mark.parametrize(
    ("given", "cls"),
    [
        ("a", "A"),
        ("l2", "L2"),
        ("x2-net", "X2Net"),
        ("net-2d", "Net2d"),
        ("a_b-c", "ABC"),
        ("match", "Match"),
        ("list", "List"),
        ("a" * LONGEST, f"A{'a' * (LONGEST - 1)}"),
    ],
)
def test_names_that_will_do(given: str, cls: str) -> None:
    assert names_of(given).cls == cls


# What is given, what is said of it, and the name that is proposed.
BAD = [
    ("My Net", f'{IS}, and "M" is none of these', "my-net"),
    ("MyNet", f'{IS}, and "M" is none of these', "my-net"),
    ("my net", f'{IS}, and " " is none of these', "my-net"),
    ("größe", f'{IS}, and "ö" is none of these', "grosse"),
    ("a.b", f'{IS}, and "." is none of these', "a-b"),
    ("../up", f'{IS}, and "." is none of these', "up"),
    ("生成", f'{IS}, and "生" is none of these', None),
    ("2net", f'{IS}, and begins with a letter, not with "2"', "net"),
    ("_net", f'{IS}, and begins with a letter, not with "_"', "net"),
    ("-", f'{IS}, and begins with a letter, not with "-"', None),
    ("net-", ONE_BETWEEN, "net"),
    ("a--b", ONE_BETWEEN, "a-b"),
    ("a-_b", ONE_BETWEEN, "a-b"),
    ("class", '"class" is a reserved word of Python', "my-class"),
    ("none", '"none" is a reserved word of Python', "my-none"),
    ("random", '"random" is a module of Python\'s own', "my-random"),
    ("test-net", "its class would be `TestNet`, which pytest would take for tests", "my-test-net"),
    ("loss", "its class would be `Loss`, a name that is taken", "my-loss"),
    ("tensor", "its class would be `Tensor`, a name that is taken", "my-tensor"),
    ("loss_suite", "its class would be `LossSuite`, a name that is taken", "my-loss-suite"),
    ("value-error", "its class would be `ValueError`, a name that is taken", "my-value-error"),
    ("genlab", PREFIX, None),
    ("genlab-foo", PREFIX, "foo"),
    ("genlab_foo", PREFIX, "foo"),
    ("genlabfoo", PREFIX, "foo"),
    ("genlab-loss", PREFIX, "my-loss"),
    ("Genlab Foo", f'{IS}, and "G" is none of these', "foo"),
    ("a" * 33, "a name has 32 letters at most, and this one has 33", "a" * 32),
]


@pytest.mark.parametrize(("given", "what", "proposed"), BAD, ids=[given[:12] for given, _, _ in BAD])
def test_a_name_that_will_not_do(given: str, what: str, proposed: str | None) -> None:
    with pytest.raises(PluginError) as caught:
        names_of(given)
    assert (caught.value.where, caught.value.what) == (given, what)
    assert caught.value.hint == (f"Did you mean `{proposed}`?" if proposed else None)


@pytest.mark.parametrize("proposed", sorted({proposed for _, _, proposed in BAD if proposed}))
def test_what_is_proposed_will_do(proposed: str) -> None:
    assert names_of(proposed).package == f"genlab-{proposed}"


def test_no_name_at_all() -> None:
    with pytest.raises(PluginError) as caught:
        names_of("")
    assert str(caught.value) == f"{IS}, and this one is empty"


@pytest.mark.parametrize(("given", "shown"), [("my\nnet", r"\n"), ("my\x1bnet", r"\x1b"), ("my\udcffnet", r"\udcff")])
def test_what_would_disturb_a_terminal_is_shown_as_an_escape(given: str, shown: str) -> None:
    with pytest.raises(PluginError) as caught:
        names_of(given)
    assert caught.value.where == f"my{shown}net"
    assert caught.value.what == f'{IS}, and "{shown}" is none of these'
