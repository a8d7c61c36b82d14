"""Documentation of components for users: settings, defaults, help, and a snippet for a recipe."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from genlab.config.schema import KEYS_BESIDE_SETTINGS
from genlab.config.validate import annotated, bare, describe, dotted, inline
from genlab.registry.components import Component, Components
from genlab.registry.discovery.find import find_plugins
from genlab.util.arguments import checked_arguments


class Setting(NamedTuple):
    """A setting that a recipe may give.

    Args:
        name: its key.
        type: what it takes, in words.
        default: the default as TOML; None for one that must be given, `nothing` for None.
        help: what the docstring says of it.
    """

    name: str
    type: str
    default: str | None
    help: str


class ComponentDocs(NamedTuple):
    """Documentation of a component.

    Args:
        kind: such as `generator`.
        name: as recipes name it.
        origin: its package and version.
        about: the class's docstring without its list of arguments.
        preset: what its registration fixes, as TOML by key.
        settings: what a recipe may give, its own settings first, and then the framework's for components of its kind.
        snippet: a table for a recipe, with all defaults.
    """

    kind: str
    name: str
    origin: str
    about: str
    preset: dict[str, str]
    settings: Sequence[Setting]
    snippet: str


@checked_arguments
def describe_components(
    name: str, kind: str | None = None, *, plugins: Iterable[str | Path] = ()
) -> list[ComponentDocs]:
    """The settings of the components that a name may mean, with snippets for a recipe.

    Args:
        name: a component's name, `package:name`, or a package's, which means all of its.
        kind: the kind, where components of several have that name.
        plugins: Python files with plugins.

    Raises:
        PluginError: there are none, or one breaks its contract.
    """
    return [component_docs(component) for component in Components(find_plugins(plugins)).called(name, kind)]


def component_docs(component: Component) -> ComponentDocs:
    """Read a component's signature and docstring; `PluginError` if it breaks its contract."""
    fields = dict(component.contract.settings.model_fields)
    if beside := KEYS_BESIDE_SETTINGS.get(component.kind.name):
        fields |= beside.model_fields
    settings = [_setting(name, field) for name, field in fields.items()]
    return ComponentDocs(
        kind=component.kind.name,
        name=component.name,
        origin=str(component.plugin),
        about=about(component.cls),
        preset={name: inline(value) for name, value in component.registration.preset.items()},
        settings=settings,
        snippet="\n".join(_snippet(component, settings)),
    )


def about(cls: type) -> str:
    """A class's docstring without the sections of its constructor."""
    return re.split(r"^(?:Args|Raises):$", inspect.getdoc(cls) or "", maxsplit=1, flags=re.MULTILINE)[0].strip()


def _setting(name: str, field: FieldInfo) -> Setting:
    default = None if field.is_required() else _toml(field.default)
    return Setting(name, describe(annotated(field)), default, " ".join((field.description or "").split()))


def _toml(value: Any) -> str:
    return "nothing" if value is None else inline(to_jsonable_python(value, inf_nan_mode="constants"))


def _snippet(component: Component, settings: Sequence[Setting]) -> Iterator[str]:
    """Lines of a table, with placeholders for required settings."""
    kind = component.kind
    is_named = not (kind.is_labeled and kind.is_named_by_label)
    label = (component.name,) if kind.is_labeled else ()
    yield f"[{dotted((*kind.table, *label))}]"
    if is_named:
        yield f"name = {inline(component.name)}"
    if "weight" in kind.reserved:
        yield "weight = 1.0"
    for setting in settings:
        key = bare(setting.name)
        if setting.default is None:
            yield f"{key} = {placeholder(setting.type)}  # required: {setting.type}"
        elif setting.default == "nothing":
            yield f"# {key} = ...  # {setting.type}"
        else:
            yield f"{key} = {setting.default}"


def placeholder(words: str) -> str:
    """Placeholder for a value of a type."""
    if words.startswith(("a list", "tables")):
        return "[]"
    return '{ name = "..." }' if words.startswith("a table") else '"..."'
