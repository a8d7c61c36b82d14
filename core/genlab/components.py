"""Components by kind and name: found among the plugins, imported when first named, held to their contract.

Importing this imports no torch; naming a component imports its class, and whatever that needs.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from genlab.errors import Fault, PluginError
from genlab.plugins import Plugin
from genlab.registry import KINDS, Kind, Registration
from genlab.tables import Keys, check, nearest

ComponentTable = dict[str, Any]


@dataclass(frozen=True)
class Spec:
    """A component and its settings, complete and checked: what a recipe says of one part."""

    component: Component
    settings: Mapping[str, Any]

    def build(self, **supplied: Any) -> Any:
        """Construct the component; `ValueError` if it refuses the combination of settings."""
        return self.build_parts(**supplied)[-1].instance

    def build_parts(self, **supplied: Any) -> list[Part]:
        """Construct the components among the settings, then the component itself."""
        parts: list[Part] = []

        def built(value: Any) -> Any:
            if isinstance(value, Spec):
                parts.extend(value.build_parts())
                return parts[-1].instance
            return [built(item) for item in value] if isinstance(value, list) else value

        settings = {name: built(value) for name, value in self.settings.items()}
        instance = self.component.cls(**supplied, **self.component.registration.preset, **settings)
        return [*parts, Part(instance, self)]

    def table(self) -> ComponentTable:
        """The table of a recipe that says the same, every default included."""
        return {"name": self.component.name, **{name: _plain(value) for name, value in self.settings.items()}}

    def nested(self) -> Iterator[Spec]:
        """The components among the settings."""
        for value in self.settings.values():
            yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Spec))


class Part(NamedTuple):
    """A component that was constructed, and what it was constructed from."""

    instance: Any
    spec: Spec


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.table()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


@dataclass(frozen=True)
class Component:
    """A registered class, and the settings that its constructor's signature says it takes."""

    registration: Registration
    plugin: Plugin
    name: str = field(compare=False, default="")

    @property
    def kind(self) -> Kind:
        return self.registration.kind

    def __str__(self) -> str:
        return f'{self.kind.name} "{self.name}"'

    @cached_property
    def cls(self) -> type:
        """The class; `PluginError` if it cannot be imported or is no component of its kind."""
        cls = self._load()
        interfaces = [load_object(path) for path in self.kind.interfaces]
        if not (inspect.isclass(cls) and issubclass(cls, tuple(interfaces))):
            names = " or ".join(interface.__name__ for interface in interfaces)
            raise self._broken(f"{getattr(cls, '__name__', cls)} does not derive from genlab.{names}")
        if inspect.isabstract(cls):
            missing = ", ".join(f"`{name}`" for name in sorted(getattr(cls, "__abstractmethods__", ())))
            raise self._broken(f"{cls.__name__} lacks {missing}")
        return cls

    @cached_property
    def settings(self) -> type[BaseModel]:
        """A model of the settings, made from the constructor's signature and docstring."""
        parameters, hints = self._signature()
        help_lines = argument_help(self.cls)
        fields: dict[str, Any] = {}
        for name, parameter in parameters.items():
            default = ... if parameter.default is parameter.empty else parameter.default
            kind = nested_kind(hints[name])
            annotation = _nested_annotation(hints[name]) if kind else hints[name]
            fields[name] = (annotation, Field(default, description=help_lines.get(name)))
        config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)
        return create_model(self.cls.__name__, __config__=config, **fields)

    @cached_property
    def nested(self) -> Mapping[str, str]:
        """The settings that are components, or lists of them, with their kinds."""
        parameters, hints = self._signature()
        kinds = {name: nested_kind(hints[name]) for name in parameters}
        return {name: kind for name, kind in kinds.items() if kind}

    def _load(self) -> Any:
        target = self.registration.target
        if not isinstance(target, str):
            return target
        try:
            return load_object(target)
        except Exception as error:
            raise self._broken(f"{target} cannot be imported: {type(error).__name__}: {error}") from error

    def _signature(self) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
        """The constructor's parameters that are settings, and all type hints; checks the rest of the contract."""
        parameters = dict(inspect.signature(self.cls).parameters)
        for name in self.kind.supplied:
            if name not in parameters:
                raise self._broken(f"its constructor does not take `{name}`, which the framework supplies")
        for name in self.registration.preset:
            if name not in parameters:
                raise self._broken(f"it is registered with `{name}` fixed, which its constructor does not take")
        held = {*self.kind.supplied, *self.registration.preset}
        parameters = {name: parameter for name, parameter in parameters.items() if name not in held}
        hints = get_type_hints(self.cls.__init__, include_extras=True)
        for name, parameter in parameters.items():
            if name in self.kind.reserved:
                raise self._broken(f"its setting `{name}` collides with the framework's key of that name")
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise self._broken(f"its constructor takes `*{name}`; settings must be named one by one")
            if name not in hints:
                raise self._broken(f"its setting `{name}` has no type")
        return parameters, hints

    def _broken(self, what: str) -> PluginError:
        return PluginError(f"breaks the contract: {what}", where=f"{self} of {self.plugin}")


def load_object(path: str) -> Any:
    """What `package.module:Name` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def nested_kind(annotation: Any) -> str | None:
    """The kind of component that an annotation asks for: `Dataset` and `list[Dataset]` ask for a dataset."""
    inner = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    if not inspect.isclass(inner):
        return None
    path = f"{inner.__module__}:{inner.__qualname__}"
    return next((kind.name for kind in KINDS.values() if path in kind.interfaces), None)


def _nested_annotation(annotation: Any) -> Any:
    if get_origin(annotation) is list:
        return Annotated[list[ComponentTable], Field(min_length=1)]
    return ComponentTable


_ARGUMENT = re.compile(r"^ {4,8}(\w+)(?: \([^)]*\))?: (.+(?:\n {8,}.+)*)", re.MULTILINE)


def argument_help(cls: type) -> dict[str, str]:
    """What a class's docstring says of each argument, under `Args:`."""
    document = "\n".join(inspect.cleandoc(text) for text in (cls.__doc__, cls.__init__.__doc__) if text)
    _, _, arguments = document.partition("Args:\n")
    return {name: " ".join(text.split()) for name, text in _ARGUMENT.findall(arguments)}


class Components:
    """All components of the plugins that were found."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._loaded: dict[tuple[str, str], Component] = {}

    def names(self, kind: str) -> list[str]:
        """The names that recipes may use for a kind."""
        return sorted({entry.name for _, entry in self._registered(kind)})

    def get(self, kind: str, name: str) -> Component:
        """The component of that name, or of `package:name`; `PluginError` says which there are."""
        if (kind, name) not in self._loaded:
            plugin, registration = self._find(kind, name)
            self._loaded[kind, name] = Component(registration, plugin, name)
        return self._loaded[kind, name]

    def spec(self, kind: str, table: ComponentTable, at: Keys) -> tuple[Spec | None, list[Fault]]:
        """A component's table as a checked spec, or its faults. Keys that are the framework's must be taken out."""
        settings = {key: value for key, value in table.items() if key != "name"}
        if not isinstance(table.get("name"), str):
            given = ", ".join(self.names(kind))
            return None, [Fault((*at, "name") if "name" in table else at, f"a {kind} needs a `name`, one of {given}")]
        try:
            component = self.get(kind, table["name"])
            model, nested = component.settings, component.nested
        except PluginError as error:
            return None, [Fault((*at, "name"), str(error))]
        checked, faults = check(model, settings, at, str(component))
        if checked is None:
            return None, faults
        values = {name: _absolute(getattr(checked, name)) for name in model.model_fields}
        for name, inner in nested.items():
            values[name], more = self._nested_specs(inner, values[name], (*at, name))
            faults += more
        return (None if faults else Spec(component, values)), faults

    def _nested_specs(self, kind: str, value: Any, at: Keys) -> tuple[Any, list[Fault]]:
        if not isinstance(value, list):
            return self.spec(kind, value, at)
        results = [self.spec(kind, item, (*at, index)) for index, item in enumerate(value)]
        return [spec for spec, _ in results], [fault for _, faults in results for fault in faults]

    def _registered(self, kind: str) -> Iterator[tuple[Plugin, Registration]]:
        for plugin in self.plugins:
            yield from ((plugin, entry) for entry in plugin.registrations if entry.kind.name == kind)

    def _find(self, kind: str, full_name: str) -> tuple[Plugin, Registration]:
        package, _, name = full_name.rpartition(":")
        found = [
            (plugin, entry)
            for plugin, entry in self._registered(kind)
            if entry.name == name and package in ("", plugin.package)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(f'"{plugin.package}:{name}"' for plugin, _ in found)
            raise PluginError(f'more than one plugin gives a {kind} "{name}"', hint=f"Say which: {choices}.")
        raise self._missing(kind, full_name)

    def _missing(self, kind: str, name: str) -> PluginError:
        names = self.names(kind)
        hints = [nearest(name, names) or ""]
        hints += [f"The plugin {plugin} did not load: {plugin.failure}" for plugin in self.plugins if plugin.failure]
        what = f'no plugin gives a {kind} "{name}"; there are {", ".join(names)}'
        return PluginError(what, hint="\n".join(hint for hint in hints if hint) or None)


def _absolute(value: Any) -> Any:
    """Paths as they are from here, so that a run can be resumed from anywhere."""
    if isinstance(value, Path):
        return value.expanduser().absolute()
    return [_absolute(item) for item in value] if isinstance(value, list) else value
