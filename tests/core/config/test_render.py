import tomllib
from typing import Any

from genlab.config.document import read_document
from genlab.config.overrides import read_assignments
from genlab.config.render import listing

TABLES: dict[str, Any] = {
    "title": 'two  spaces, [ brackets, ] and a "quote"',
    "seed": 3,
    "data": {"name": "first", "sources": [{"name": "a", "sizes": [1, 2]}, {"name": "b", "deep": {"x": 1e-08}}]},
    "losses": {"l1": {"weight": 100.0}, "my loss": {"name": "l1", "scale": float("inf")}},
    "evaluate": {"pairs": 50, "metrics": {"l1": {}}},
    "listeners": {},
}
RECIPE = """\
[losses]
"my loss" = { name = "l1" }
l1.weight = 100.0
[evaluate]
pairs = 50
"""


def lines(*assignments: str) -> list[str]:
    document = read_assignments(assignments).over(read_document(RECIPE, "r.toml"))
    return listing(TABLES, document.place).split("\n")


def test_it_is_toml_that_says_the_same() -> None:
    assert tomllib.loads("\n".join(lines())) == TABLES


def test_a_value_is_one_line_with_the_place_where_it_was_written() -> None:
    found = lines("seed=3")
    assert sum(line.startswith("sources = ") for line in found) == 1
    comments = {line.split(" = ")[0]: line.split("  # ")[1] for line in found if "  # " in line}
    assert comments == {"seed": "--set seed=3", "weight": "r.toml:3:1", "name": "r.toml:2:15", "pairs": "r.toml:5:1"}


def test_a_default_has_no_comment() -> None:
    assert "seed = 3" in lines()
    assert "scale = inf" in lines()


def test_comments_stand_in_one_column() -> None:
    assert len({line.index("#") for line in lines("seed=3") if "  # " in line}) == 1


def test_a_table_of_tables_alone_needs_no_heading() -> None:
    headings = [line for line in lines() if line.startswith("[")]
    assert headings == [
        "[data]",
        "[losses.l1]",
        '[losses."my loss"]',
        "[evaluate]",
        "[evaluate.metrics.l1]",
        "[listeners]",
    ]
    assert all(lines()[lines().index(heading) - 1] == "" for heading in headings)
