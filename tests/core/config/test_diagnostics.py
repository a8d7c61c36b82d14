from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document, read_document
from genlab.config.overrides import read_assignments
from genlab.errors import Fault

TEXT = """\
title = "x"
[data]
name = "first"
sources = [{ name = "a" }, { name = "b", count = -1 }]
[[data.more]]
name = "c"
[[data.more]]
name = "d"
root = 3
[losses]
l1 = { weight = -1 }
"""


def located(*faults: Fault, overrides: tuple[str, ...] = ()) -> list[Fault]:
    document = read_assignments(overrides).over(read_document(TEXT, "r.toml"))
    return list(recipe_error(faults, document).faults)


def shown(fault: Fault) -> list[str]:
    return str(located(fault)[0]).split("\n")


def test_a_fault_is_shown_under_its_value() -> None:
    assert shown(Fault(("losses", "l1", "weight"), "too small", "Take more.")) == [
        "r.toml:11:17: too small",
        "  11 | l1 = { weight = -1 }",
        "     |                 ^^",
        "Take more.",
    ]


def test_a_fault_of_the_key_is_shown_under_the_key() -> None:
    assert shown(Fault(("losses", "l1", "weight"), "unknown", at_key=True))[2] == "     |        ^^^^^^"


def test_a_fault_in_an_array_is_shown_in_its_element() -> None:
    assert shown(Fault(("data", "sources", 1, "count"), "too small"))[1:3] == [
        '  4 | sources = [{ name = "a" }, { name = "b", count = -1 }]',
        "    |                                                  ^^",
    ]
    assert shown(Fault(("data", "more", 1, "root"), "no path"))[0] == "r.toml:9:8: no path"
    assert shown(Fault(("data", "more", 0), "needs `root`"))[0] == "r.toml:5:3: needs `root`"


def test_what_is_missing_is_shown_at_the_nearest_table_around_it() -> None:
    assert shown(Fault(("data", "more", 1, "count", "inner"), "missing"))[:2] == [
        "r.toml:7:3: missing",
        "  7 | [[data.more]]",
    ]
    assert shown(Fault(("losses", "l2"), "missing"))[0] == "r.toml:10:2: missing"


def test_what_has_no_table_at_all_is_missing_from_the_recipe() -> None:
    assert shown(Fault(("generator",), "missing")) == ["r.toml: missing"]
    assert shown(Fault((), "odd")) == ["r.toml: odd"]


def test_a_fault_of_a_set_shows_what_was_set() -> None:
    faults = located(
        Fault(("train", "steps"), "too small"), Fault(("data", "name"), "unknown"), overrides=("train.steps=0",)
    )
    assert [str(fault).split("\n")[0] for fault in faults] == [
        "--set train.steps=0: too small",
        "r.toml:3:8: unknown",
    ]
    assert faults[0].quote is None


def test_faults_come_in_the_order_of_the_recipe_however_they_were_found() -> None:
    faults = [
        Fault(("losses", "l1", "weight"), "late"),
        Fault(("data", "sources", 1, "count"), "middle, right"),
        Fault(("generator",), "nowhere, found first"),
        Fault(("data", "sources", 0, "name"), "middle, left"),
        Fault(("discriminator",), "nowhere, found second"),
        Fault(("title",), "early"),
    ]
    assert [fault.what for fault in located(*faults)] == [
        "nowhere, found first",
        "nowhere, found second",
        "early",
        "middle, left",
        "middle, right",
        "late",
    ]


def test_lines_are_counted_not_compared_as_words() -> None:
    document = read_document("\n" * 8 + "nine = 1\nten = 2\n", "r.toml")
    error = recipe_error([Fault(("ten",), "second"), Fault(("nine",), "first")], document)
    assert [fault.what for fault in error.faults] == ["first", "second"]


def test_without_a_recipe_the_fault_still_says_what_it_has_to_say() -> None:
    assert str(recipe_error([Fault(("data",), "wrong", "Mend it.")], Document({}, {}))) == "wrong\nMend it."
