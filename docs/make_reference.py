"""Write the reference: one page for each kind of component, from the interfaces, the suites and the components.

python docs/make_reference.py    writes docs/reference/*.md; a test fails where they are not current
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Container, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pluggy
from annotated_types import Ge, Le, MinLen

import genlab
from genlab.config.validate import describe, dotted
from genlab.interfaces.kinds import KINDS, Kind
from genlab.registry.components import Components
from genlab.registry.contract import argument_help, load_object
from genlab.registry.discovery.find import find_plugins
from genlab.registry.documentation import ComponentDocs, about, component_docs
from genlab.registry.hooks import INTERFACE
from genlab.testing import AdversarialLossSuite
from genlab.testing.check import SUITES
from genlab.testing.suite import Suite, tests_of

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

FOLDER = Path(__file__).parent / "reference"

NEEDED = ", which a class must have"


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    components = Components([plugin for plugin in find_plugins() if plugin.package == "genlab"])
    found = {f"{kind.name}.md": "\n".join(page(kind, components)).strip() + "\n" for kind in KINDS.values()}
    return {**found, "README.md": index()}


def index() -> str:
    lines = ["# Components", "", f"What a plugin gives, kind by kind: version {INTERFACE} of the interface.", ""]
    for kind in KINDS.values():
        first = about(interfaces(kind)[0]).partition("\n")[0]
        lines.append(f"- [{kind.name}]({kind.name}.md): {first}")
    lines += ["", "[Write a plugin](../write_a_plugin.md) shows how to begin;"]
    lines += ["[the interface's version](../interface.md) says what may change when.", "", *setting_types()]
    return "\n".join([*lines, *aliases(), *errors()]).strip() + "\n"


def setting_types() -> Iterator[str]:
    """What a setting may be, as the same words say it that a recipe's faults are told in."""
    yield "## What a setting may be\n"
    yield "The constructor's arguments that are no part of the interface, each with a type. What a recipe may give:\n"
    yield "| type in Python | in a recipe |\n|---|---|"
    for annotation, written in SETTING_TYPES.items():
        yield f"| `{annotation.replace('|', PIPE)}` | {describe(written)} |"
    yield "| `Dataset`, or a list of it | a table with the `name` of a dataset and its settings |"
    yield f"| any of these `{PIPE} None` | the same, or left out where None is the default |\n"


def aliases() -> Iterator[str]:
    """The public names that are no classes, and what they stand for."""
    yield "## Short names for types\n"
    for name in genlab.__all__:
        value = getattr(genlab, name)
        if not (inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, str | pluggy.HookimplMarker)):
            written = re.sub(r"\b(?:typing|collections\.abc|genlab\.interfaces\.\w+|torch)\.", "", str(value))
            yield f"- `genlab.{name}`: `{written}`"
    yield ""


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


def interfaces(kind: Kind) -> list[type]:
    return [load_object(path) for path in kind.interfaces]


def page(kind: Kind, components: Components) -> Iterator[str]:
    """The lines of a kind's page."""
    yield f"# {kind.name.capitalize()}\n"
    yield f"*Written by the code, for version {INTERFACE} of the interface. [All kinds](README.md).*\n"
    yield from in_a_recipe(kind)
    for interface in interfaces(kind):
        yield from of_interface(interface)
    yield from types_beside(kind)
    yield from tests(kind)
    yield from shipped(kind, components)


def in_a_recipe(kind: Kind) -> Iterator[str]:
    if kind.is_labelled:
        where = f"in a table `[{dotted((*kind.table, 'LABEL'))}]`; the label is its name, unless the key `name` says"
        yield f"A recipe names it {where} otherwise.\n"
    else:
        yield f"A recipe names it in the table `[{dotted(kind.table)}]`, by the key `name`.\n"
    supplied = " and ".join(f"`{name}`" for name in kind.supplied)
    rest = f"The framework gives the constructor {supplied}; its other arguments" if supplied else "Its arguments"
    keys = " and ".join(f"`{key}`" for key in kind.reserved)
    verb = "is" if len(kind.reserved) == 1 else "are"
    yield f"{rest} are settings that a recipe may give. {keys} {verb} reserved by the framework.\n"
    yield f"A plugin registers it by `registry.{kind.name}(NAME, CLASS)`; `gen plugins new NAME --kind {kind.name}`"
    yield "begins one.\n"


def of_interface(interface: type) -> Iterator[str]:
    """An interface's docstring, and all that it asks for or offers."""
    yield f"## genlab.{interface.__name__}\n"
    yield text_of(interface)
    for cls in (cls for cls in interface.__mro__ if cls.__module__.startswith("genlab.")):
        for name in inspect.get_annotations(cls):
            yield class_attribute(cls, name)
        yield from members(cls, hidden=() if cls is interface else vars(interface))


def members(cls: type, hidden: Container[str] = ()) -> Iterator[str]:
    """A class's own properties and methods, those in `hidden` left out."""
    for name, member in vars(cls).items():
        is_own = name in getattr(cls, "__abstractmethods__", ()) or not name.startswith("_")
        if is_own and name not in hidden and (isinstance(member, property) or inspect.isfunction(member)):
            yield from of_member(name, member)


def class_attribute(cls: type, name: str) -> str:
    default = f" = {vars(cls)[name]!r}" if name in vars(cls) else ""
    return f"### `{name}: {inspect.get_annotations(cls)[name]}{default}`{'' if default else NEEDED}\n"


def of_member(name: str, member: Any) -> Iterator[str]:
    function = member.fget if isinstance(member, property) else member
    needed = NEEDED if getattr(function, "__isabstractmethod__", False) else ""
    yield f"### `{name}{signature(function, is_property=isinstance(member, property))}`{needed}\n"
    if function.__doc__:
        yield text_of(function)


def signature(function: Any, *, is_property: bool) -> str:
    """What it takes and gives, with annotations as they are written."""
    given = inspect.signature(function)
    if is_property:
        return f": {given.return_annotation}"
    words = (f"{name}: {parameter.annotation}" for name, parameter in given.parameters.items() if name != "self")
    return f"({', '.join(words)}) -> {given.return_annotation}"


def text_of(thing: Any) -> str:
    """A docstring as Markdown: its text, and its arguments as a list."""
    lines = [about(thing), ""]
    if inspect.isclass(thing):
        lines += [*fields(thing), ""]
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


def default_of(cls: type, name: str) -> str:
    """A field's default as code; nothing if there is none, or none that can be written."""
    default = inspect.signature(cls).parameters[name].default
    is_plain = default is None or isinstance(default, str | int | float | tuple)
    return f" = {default!r}" if is_plain else ""


def types_beside(kind: Kind) -> Iterator[str]:
    """The public classes of the same module, which the interface gives or takes."""
    own = interfaces(kind)
    modules = {cls.__module__ for interface in own for cls in interface.__mro__}
    names = [name for name in genlab.__all__ if inspect.isclass(getattr(genlab, name))]
    beside = [getattr(genlab, name) for name in names]
    beside = [cls for cls in beside if cls.__module__ in modules and not issubclass_of_interface(cls)]
    if beside:
        yield "## What goes with it\n"
    for cls in beside:
        yield f"### genlab.{cls.__name__}\n"
        yield text_of(cls)
        if getattr(cls, "__abstractmethods__", ()):
            yield from (line.replace("###", "####") for line in members(cls))


def issubclass_of_interface(cls: type) -> bool:
    """Whether a class has a heading of its own, or stands above those that have."""
    every = [interface for kind in KINDS.values() for interface in interfaces(kind)]
    return any(issubclass(interface, cls) for interface in every)


def tests(kind: Kind) -> Iterator[str]:
    suites: list[type[Suite]] = [SUITES[kind.name]]
    suites += [AdversarialLossSuite] if kind.name == "loss" else []
    for suite in suites:
        yield f"## genlab.testing.{suite.__name__}\n"
        yield text_of(suite)
        yield "| test | what holds |\n|---|---|"
        for name, test in tests_of(suite).items():
            words = name.removeprefix("test_").replace("_", " ")
            yield f"| {words} | {' '.join(inspect.getdoc(test).split())} |"
        yield ""


def shipped(kind: Kind, components: Components) -> Iterator[str]:
    yield "## Those that come with genlab\n"
    for name in components.names(kind.name):
        yield from of_component(component_docs(components.get(kind.name, name)))


def of_component(found: ComponentDocs) -> Iterator[str]:
    yield f"### {found.name}\n"
    yield f"{found.about}\n"
    if found.preset:
        yield f"Under this name, {', '.join(f'`{name} = {value}`' for name, value in found.preset.items())} is fixed.\n"
    if found.settings:
        yield "| setting | takes | default | |\n|---|---|---|---|"
        for entry in found.settings:
            default = f"`{entry.default}`" if entry.default else "to be given"
            yield f"| `{entry.name}` | {entry.type} | {default} | {entry.help} |"
        yield ""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
