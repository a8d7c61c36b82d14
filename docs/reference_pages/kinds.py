"""A page for each kind of component, from the interfaces, the suites and the components."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Container, Iterator
from itertools import pairwise
from typing import Any

import genlab
from genlab.config.validate import dotted
from genlab.interfaces.kinds import KINDS, Kind
from genlab.registry.components import Components
from genlab.registry.contract import load_object
from genlab.registry.documentation import ComponentDocs, component_docs
from genlab.registry.hooks import INTERFACE
from genlab.testing import AdversarialLossSuite, ObjectiveSuite
from genlab.testing.check import SUITES
from genlab.testing.suite import Suite, tests_of
from reference_pages.text import signature, text_of

NEEDED = ", which a class must have"


def interfaces(kind: Kind) -> list[type]:
    return [load_object(path) for path in kind.interfaces]


def is_ours(interface: type) -> bool:
    """Whether an interface is genlab's own, and not PyTorch's, of which the suite says what is asked."""
    return interface.__module__.startswith("genlab.")


def page(kind: Kind, components: Components) -> Iterator[str]:
    """The lines of a kind's page."""
    yield f"# {kind.name.capitalize()}\n"
    yield f"*Written by the code, for version {INTERFACE} of the interface. [All kinds](README.md).*\n"
    yield from in_a_recipe(kind)
    for interface in filter(is_ours, interfaces(kind)):
        yield from of_interface(interface)
    yield from types_beside(kind)
    yield from tests(kind)
    yield from shipped(kind, components)


def in_a_recipe(kind: Kind) -> Iterator[str]:
    if not kind.is_named_by_label:
        where = f"in a table `[{dotted((*kind.table, 'ROLE'))}]`, for a role of its method"
        yield f"A recipe names it {where}, by the key `name`.\n"
    elif kind.is_labeled:
        where = f"in a table `[{dotted((*kind.table, 'LABEL'))}]`; the label is its name, unless the key `name` says"
        yield f"A recipe names it {where} otherwise.\n"
    else:
        yield f"A recipe names it in the table `[{dotted(kind.table)}]`, by the key `name`.\n"
    supplied = " and ".join(f"`{name}`" for name in kind.supplied)
    rest = f"The framework gives the constructor {supplied}; its other arguments" if supplied else "Its arguments"
    keys = " and ".join(f"`{key}`" for key in kind.reserved)
    verb = "is" if len(kind.reserved) == 1 else "are"
    if kind.default:
        of_role = dotted((*kind.table, "ROLE"))
        yield f"Without a name it is `{kind.default}`. `[{of_role}]` is laid over the table for a network.\n"
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
    is_property = isinstance(member, property)
    taken = f": {inspect.signature(function).return_annotation}" if is_property else signature(function)
    yield f"### `{name}{taken}`{needed}\n"
    if function.__doc__:
        yield text_of(function)


def types_beside(kind: Kind) -> Iterator[str]:
    """The public classes of the same module, which the interface gives or takes."""
    beside = classes_beside(kind)
    if beside:
        yield "## What goes with it\n"
    for cls in beside:
        yield f"### genlab.{cls.__name__}\n"
        yield text_of(cls)
        if getattr(cls, "__abstractmethods__", ()):
            yield from (line.replace("###", "####") for line in members(cls))


def classes_beside(kind: Kind) -> list[type]:
    modules = {cls.__module__ for interface in interfaces(kind) for cls in interface.__mro__}
    public = (getattr(genlab, name) for name in genlab.__all__)
    classes = (value for value in public if inspect.isclass(value))
    return [cls for cls in classes if cls.__module__ in modules and not issubclass_of_interface(cls)]


def issubclass_of_interface(cls: type) -> bool:
    """Whether a class has a heading of its own, or stands above those that have."""
    every = [interface for kind in KINDS.values() for interface in interfaces(kind)]
    return any(issubclass(interface, cls) for interface in every)


def tests(kind: Kind) -> Iterator[str]:
    suites: list[type[Suite]] = [SUITES[kind.name]]
    suites += [AdversarialLossSuite, ObjectiveSuite] if kind.name == "loss" else []
    for suite in suites:
        yield f"## genlab.testing.{suite.__name__}\n"
        yield text_of(suite)
        yield from told_to(suite)
        yield "| test | what holds |\n|---|---|"
        for name, test in tests_of(suite).items():
            words = name.removeprefix("test_").replace("_", " ")
            yield f"| {words} | {' '.join(inspect.getdoc(test).split())} |"
        yield ""


def told_to(suite: type[Suite]) -> Iterator[str]:
    """The class attributes of a suite that a subclass may set, with their defaults and what is said of them."""
    said = [attribute_docs(cls) for cls in suite.__mro__ if issubclass(cls, Suite)]
    lines = [f"- `{name} = {getattr(suite, name)!r}`: {words}" for docs in said for name, words in docs.items()]
    yield from ["A subclass may set:\n", *lines, ""] if lines else []


def attribute_docs(cls: type) -> dict[str, str]:
    """The docstrings that follow class attributes, by name."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        before.target.id: " ".join(after.value.value.split())
        for before, after in pairwise(tree.body)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }


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
