"""The first page: the kinds of components, types of settings, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen

import genlab
from genlab.config.validate import describe
from genlab.interfaces.kinds import KINDS
from genlab.registry.contract import argument_help
from genlab.registry.documentation import about
from genlab.registry.hooks import INTERFACE
from reference_pages.kinds import interfaces, is_ours

SETTING_TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "pathlib.Path": Path,
    "Annotated[int, Ge(1), Le(8)]": Annotated[int, Ge(1), Le(8)],
    'Literal["batch", "instance"]': Literal["batch", "instance"],
    "list[int]": list[int],
    "Annotated[list[int], MinLen(1)]": Annotated[list[int], MinLen(1)],
    "tuple[float, float]": tuple[float, float],
    "bool | list[int]": bool | list[int],
    "dict[str, float]": dict[str, float],
}

PIPE = "\\|"  # as it is written in a table


def index() -> str:
    """The text of the page."""
    lines = ["# Components", "", f"What a plugin gives, kind by kind: version {INTERFACE} of the interface.", ""]
    for kind in KINDS.values():
        interface = interfaces(kind)[0]
        words = about(interface) if is_ours(interface) else "An algorithm of PyTorch's that updates weights."
        first = words.partition("\n")[0]
        lines.append(f"- [{kind.name}]({kind.name}.md): {first}")
    lines += ["", "[The recipe](recipe.md) has all tables of a recipe and their keys;"]
    lines += ["[the Python API](python.md) has all that `import genlab` gives;"]
    lines += ["[write a plugin](../write_a_plugin.md) shows how to begin;"]
    lines += ["[the interface's version](../interface.md) says what may change when.", "", *setting_types()]
    return "\n".join([*lines, *errors()]).strip() + "\n"


def setting_types() -> Iterator[str]:
    """What a setting may be, as the same words say it that a recipe's faults are told in."""
    yield "## What a setting may be\n"
    yield "The constructor's arguments that are no part of the interface, each with a type. What a recipe may give:\n"
    yield "| type in Python | in a recipe |\n|---|---|"
    for annotation, written in SETTING_TYPES.items():
        yield f"| `{annotation.replace('|', PIPE)}` | {describe(written)} |"
    yield "| `Dataset`, or a list of it | a table with the `name` of a dataset and its settings |"
    yield f"| any of these `{PIPE} None` | the same, or left out where None is the default |\n"


def errors() -> Iterator[str]:
    """The errors that a plugin may raise, and that people then read."""
    yield "## Errors for people\n"
    yield "Raise one of these where a person can mend it: `gen` prints it as a paragraph, without a traceback."
    yield "A `ValueError` from a constructor is shown at the setting that it names.\n"
    yield "`genlab.GenlabError(what, *, where=None, hint=None)`, and so all that derive from it:\n"
    yield from (f"- `{name}`: {words}" for name, words in argument_help(genlab.GenlabError).items())
    yield ""
    for error in (getattr(genlab, name) for name in genlab.__all__ if name.endswith("Error")):
        if error not in (genlab.GenlabError, genlab.RecipeError):  # the latter is the framework's to raise
            yield f"- `genlab.{error.__name__}`: {about(error)}"
