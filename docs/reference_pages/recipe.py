"""The page of a recipe's keys, from the framework's tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from genlab.assemble.resolve import KEYS
from genlab.config.init_table import InitTable
from genlab.config.schema import KEYS_BESIDE_SETTINGS, TABLES, AblationTable, Table
from genlab.config.validate import annotated, describe, dotted, inline
from genlab.interfaces.kinds import KINDS, Kind
from genlab.registry.documentation import about

_ABOUT = """\
# Recipe

*Written by the code: all tables that a recipe may have.*

`gen recipes show RECIPE` prints a recipe with every value and its origin; `gen check RECIPE` validates one. At the top
of a recipe are `title`, a text; `seed`, the integer that all random numbers are drawn from; and in a file `extends`,
the path or name of the recipe that it changes.

Components have tables of their own, with the settings that their pages list. `name` is a component's name, `unet`, or
with the package that gives it, `genlab:unet`: a resolved recipe has it so, and any has to where several packages
give the name. A loss, metric or listener is named by its label unless it has a `name`:
"""


def recipe_page() -> str:
    """The text of the page."""
    components = [f"- `[{_table_of(kind)}]`: [{kind.name}]({kind.name}.md)" for kind in KINDS.values()]
    lines = [_ABOUT, *components]
    tables = {**KEYS_BESIDE_SETTINGS, **TABLES, "init": InitTable, "ablation": AblationTable}
    for name in (name for name in KEYS if name in tables):
        lines += ["", *_table(name, tables[name])]
    return "\n".join(lines).strip() + "\n"


def _table_of(kind: Kind) -> str:
    label = "LABEL" if kind.is_named_by_label else "ROLE"
    return dotted((*kind.table, label) if kind.is_labeled else kind.table)


def _table(name: str, table: type[Table]) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{about(table)}\n"
    yield "| key | takes | default | |\n|---|---|---|---|"
    for key, field in table.model_fields.items():
        takes, default = describe(annotated(field)), _default(field)
        yield f"| `{key}` | {takes} | {default} | {' '.join((field.description or '').split())} |".replace("||", "|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "to be given"
    value: Any = to_jsonable_python(field.default)
    return "none" if value is None else f"`{inline(value)}`"
