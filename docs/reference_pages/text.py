"""Classes and functions as Markdown, from their docstrings and signatures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from genlab.registry.contract import argument_help
from genlab.registry.documentation import about


class Verbatim(str):
    """Text that a signature shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(function: Any) -> str:
    """What a function takes and gives, with annotations as they are written and without `self`."""
    given = inspect.signature(function)
    parameters = [plain(parameter) for name, parameter in given.parameters.items() if name not in ("self", "cls")]
    return str(given.replace(parameters=parameters, return_annotation=Verbatim(given.return_annotation)))


def plain(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is not parameter.empty and not is_plain(default):
        default = Verbatim("...")
    return parameter.replace(annotation=Verbatim(parameter.annotation), default=default)


def is_plain(value: Any) -> bool:
    """Whether a default can be written as code."""
    return value is None or isinstance(value, str | int | float | tuple)


def text_of(thing: Any) -> str:
    """A docstring as Markdown: its text, and its arguments as a list."""
    lines = [about(thing), ""]
    if inspect.isclass(thing):
        lines += [*fields(thing), "", *attributes(thing)]
    return "\n".join(lines)


def fields(cls: type) -> Iterator[str]:
    """A class's arguments: those of a record with their types, and what the docstring says of each."""
    words = argument_help(cls)
    is_record = is_dataclass(cls) or issubclass(cls, tuple)
    given = {} if is_record or not words else inspect.signature(cls).parameters
    types = inspect.get_annotations(cls) if is_record else {name: entry.annotation for name, entry in given.items()}
    if given:
        yield "Its constructor takes:\n"
    for name, annotation in types.items():
        said = f": {words[name]}" if name in words else ""
        written = getattr(annotation, "__forward_arg__", annotation)
        yield f"- `{name}: {written}{default_of(cls, name)}`{said}"


def attributes(cls: type) -> Iterator[str]:
    """What an object has that its constructor does not say, from its docstring."""
    words = argument_help(cls, "Attributes")
    said = [f"- `{name}`: {text}" for name, text in words.items()]
    yield from ["Its attributes:\n", *said, ""] if said else []


def default_of(cls: type, name: str) -> str:
    """A field's default as code; nothing if there is none, or none that can be written."""
    default = inspect.signature(cls).parameters[name].default
    return f" = {default!r}" if is_plain(default) else ""
