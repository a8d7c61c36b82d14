"""The page of the Python API: all that `import genlab` gives, by subject."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import genlab
from genlab.interfaces.kinds import KINDS
from genlab.registry.documentation import about
from reference_pages.kinds import classes_beside, interfaces
from reference_pages.text import attributes, fields, plain, signature

SUBJECTS = {
    "Recipes": ("config", "assemble"),
    "Training, runs and ablations": ("api", "runs", "tools", "ablation", "data", "engine"),
    "Plugins": ("registry", "scaffold", "testing"),
    "Images": ("images", "drawing"),
    "Interfaces of components": ("interfaces",),
    "Errors": ("errors",),
}
"""The packages of genlab whose public names stand under a heading."""

QUALIFIERS = re.compile(r"\b(?:typing|collections\.abc|genlab\.interfaces\.\w+|torch)\.")

WIDTH = 100

BEGINNING = """\
# The Python API

*Written by the code: all that `import genlab` gives, by subject. [Components](README.md) has the interfaces, kind by
kind.*
"""


def python_page() -> str:
    """The text of the page."""
    names = by_subject()
    lines = [BEGINNING]
    for subject, found in names.items():
        lines.append(
            f"- {link(subject, '#' + anchor(subject))}: {', '.join(link(f'`{name}`', place(name)) for name in found)}"
        )
    lines.append("")
    for subject, found in names.items():
        lines += [f"## {subject}\n", *(line for name in found for line in of_name(name))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def by_subject() -> dict[str, list[str]]:
    """The public names by subject: those of other pages first, then functions, classes and types."""
    modules = {
        alias.name: node.module or ""
        for node in ast.parse(Path(genlab.__file__).with_suffix(".pyi").read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names: dict[str, list[str]] = {subject: [] for subject in SUBJECTS}
    for name in sorted(genlab.__all__, key=rank):
        names[subject_of(modules[name])].append(name)
    return names


def subject_of(module: str) -> str:
    package = module.partition(".")[0]
    found = [subject for subject, packages in SUBJECTS.items() if package in packages]
    if not found:
        raise LookupError(f"no subject for genlab.{package}; add it to SUBJECTS in {__file__}")
    return found[0]


def rank(name: str) -> int:
    value = getattr(genlab, name)
    if not place(name).startswith("#"):
        return 0
    return 1 if inspect.isfunction(value) else 2 if inspect.isclass(value) else 3


def place(name: str) -> str:
    """Where a name is described: on this page, or on that of its kind of component."""
    value = getattr(genlab, name)
    kinds = (kind for kind in KINDS.values() if value in (*interfaces(kind), *classes_beside(kind)))
    page = next((f"{kind.name}.md" for kind in kinds), "")
    return f"{page}#{anchor(f'genlab.{name}')}"


def anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def link(words: str, target: str) -> str:
    return f"[{words}]({target})"


def of_name(name: str) -> Iterator[str]:
    value, target = getattr(genlab, name), place(name)
    if not target.startswith("#"):
        summary = about(value).partition("\n\n")[0]
        yield f"- {link(f'`genlab.{name}`', target)}: {' '.join(summary.split())}"
        return
    yield f"\n### genlab.{name}\n"
    if inspect.isfunction(value):
        yield from of_function(name, value)
    elif inspect.isclass(value):
        yield from of_class(value)
    elif name == "hookimpl":
        yield "Decorator of a plugin's hook, `genlab_register`.\n"
    else:
        yield "`" + QUALIFIERS.sub("", str(value)) + "`\n"


def of_function(name: str, function: Any) -> Iterator[str]:
    first, *rest = re.split(r"^(Args|Returns|Yields|Raises):$", inspect.getdoc(function) or "", flags=re.MULTILINE)
    yield f"```python\n{wrapped(name, function)}\n```\n"
    yield first.strip() + "\n"
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        text = textwrap.dedent(body.strip("\n")).strip()
        yield f"{'Arguments' if title == 'Args' else title}:\n"
        yield re.sub(r"^(\w+): ", r"- `\1`: ", text, flags=re.MULTILINE) + "\n"


def wrapped(name: str, function: Any) -> str:
    """A call with types, an argument a line where one line is too short."""
    text = f"genlab.{name}{signature(function)}"
    if len(text) <= WIDTH:
        return text
    for parameter in inspect.signature(function).parameters.values():
        text = text.replace(f", {plain(parameter)}", f",\n    {plain(parameter)}")
    start, _, rest = text.replace(", *,", ",\n    *,").partition("(")
    taken, _, result = rest.rpartition(") -> ")
    return f"{start}(\n    {taken},\n) -> {result}"


def of_class(cls: type) -> Iterator[str]:
    yield about(cls) + "\n"
    yield from fields(cls)
    yield ""
    yield from attributes(cls)
    public = [line for name in dir(cls) if not name.startswith("_") for line in of_member(cls, name)]
    yield from ["Its methods and properties:\n", *public, ""] if public else []


def of_member(cls: type, name: str) -> Iterator[str]:
    """The line of a method or property that genlab's own classes define."""
    owner = next(base for base in cls.__mro__ if name in vars(base))
    member = vars(owner)[name]
    function = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
    if not owner.__module__.startswith("genlab.") or not inspect.isfunction(function):
        return
    is_property = isinstance(member, property | cached_property)
    taken = f": {inspect.signature(function).return_annotation}" if is_property else signature(function)
    words = (inspect.getdoc(function) or "").partition("\n\n")[0]
    yield f"- `{name}{taken}`{': ' if words else ''}{' '.join(words.split())}"
