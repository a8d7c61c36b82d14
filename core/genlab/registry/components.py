"""Lookup of components by kind and name: imported lazily, and checked against their contract.

Importing this imports no torch; naming a component imports its class, and whatever that needs.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python
from typing_extensions import override

from genlab.config.component_name import ComponentName
from genlab.config.validate import Keys, dotted, nearest, shown, validate_table
from genlab.errors import Fault, PluginError, RecipeError
from genlab.interfaces.kinds import KINDS, Kind, with_article
from genlab.registry.contract import Contract, check_class, load_object, read_contract
from genlab.registry.discovery.guard import guarded
from genlab.registry.discovery.overview import collision
from genlab.registry.discovery.plugin import Plugin
from genlab.registry.registry import Registration
from genlab.util.exceptions import summarize_with_location

ComponentTable = dict[str, Any]


@dataclass(frozen=True)
class ComponentConfig:
    """A component and its settings, complete and validated.

    Args:
        component: the component that the table names.
        settings: all of its settings, with components among them as configs.
        at: the keys that lead to its table in the recipe.
    """

    component: Component
    settings: Mapping[str, Any]
    at: Keys = ()

    def build(self, **supplied: Any) -> Any:
        """Construct the component; `RecipeError`, not located yet, if it rejects the combination of settings."""
        return self.build_parts(**supplied)[-1].instance

    def build_parts(self, **supplied: Any) -> list[ConstructedPart]:
        """Construct the components among the settings, then the component itself."""
        parts: list[ConstructedPart] = []

        def built(value: Any) -> Any:
            if isinstance(value, ComponentConfig):
                parts.extend(value.build_parts())
                return parts[-1].instance
            return [built(item) for item in value] if isinstance(value, list) else value

        settings = {name: built(value) for name, value in self.settings.items()}
        try:
            instance = self.component.cls(**supplied, **self.component.registration.preset, **settings)
        except ValueError as error:
            raise RecipeError([Fault((*self.at, *self._named_in(error)), f"{self.component}: {error}")]) from error
        return [*parts, ConstructedPart(instance, self)]

    def _named_in(self, error: ValueError) -> Keys:
        """The first setting that a constructor's error message names, if any, to locate the fault."""
        return tuple(word for word in re.findall(r"\w+", str(error)) if word in self.settings)[:1]

    def table(self) -> ComponentTable:
        """The recipe table of this config, every default included."""
        return {"name": self.component.full_name, **{name: _plain(value) for name, value in self.settings.items()}}

    def nested(self) -> Iterator[ComponentConfig]:
        """Configs of nested components, recursively."""
        for value in self.settings.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ComponentConfig):
                    yield item
                    yield from item.nested()


class ConstructedPart(NamedTuple):
    """A constructed component and its config."""

    instance: Any
    config: ComponentConfig


def _plain(value: Any) -> Any:
    if isinstance(value, ComponentConfig):
        return value.table()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return to_jsonable_python(value, inf_nan_mode="constants")


@dataclass(frozen=True)
class Component:
    """A registered class, imported lazily and checked against its contract.

    Args:
        registration: its kind and class, as its plugin registered it.
        plugin: the plugin that gives it.
        name: as it is shown: with its package only where several packages give one of its kind and name.
    """

    registration: Registration
    plugin: Plugin
    name: str = field(compare=False, default="")

    @property
    def full_name(self) -> str:
        """Name with the package, which identifies it whatever else is installed; a plugin file is a package."""
        return str(ComponentName(self.plugin.package, self.registration.name))

    @property
    def kind(self) -> Kind:
        """Kind of the component."""
        return self.registration.kind

    @override
    def __str__(self) -> str:
        return f'{self.kind.name} "{self.name}"'

    @cached_property
    def cls(self) -> type:
        """The class; `PluginError` if it cannot be imported or is not a component of its kind."""
        with self._as_contract_error():
            return check_class(self._load(), self.kind)

    @cached_property
    def contract(self) -> Contract:
        """Its settings; `PluginError` if its constructor breaks the contract."""
        cls = self.cls
        with self._as_contract_error():
            return read_contract(cls, self.kind, self.registration.preset)

    def _load(self) -> Any:
        target = self.registration.target
        if not isinstance(target, str):
            return target
        try:
            with guarded():
                return load_object(target)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(f"{target} cannot be imported: {summarize_with_location(error)}") from error

    @contextmanager
    def _as_contract_error(self) -> Generator[None, None, None]:
        """Add the component and its plugin to an error of the contract."""
        try:
            yield
        except PluginError as error:
            raise PluginError(f"{self} of {self.plugin} breaks the contract: {error.what}") from error


class Components:
    """All components of the discovered plugins."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._loaded: dict[tuple[str, str], Component] = {}

    def names(self, kind: str) -> list[str]:
        """The names that recipes may use for a kind."""
        return sorted({entry.name for _, entry in self._registered(kind)})

    def full_names(self, kind: str) -> list[str]:
        """The components of a kind, each by its name with the package."""
        return sorted({str(ComponentName(plugin.package, entry.name)) for plugin, entry in self._registered(kind)})

    def get(self, kind: str, name: str) -> Component:
        """Get a component by name or `package:name`; `PluginError` lists the available ones."""
        if (kind, name) not in self._loaded:
            found = Component(*self._find(kind, name))
            same = [entry for _, entry in self._registered(kind) if entry.name == found.registration.name]
            shown_name = found.registration.name if len(same) == 1 else found.full_name
            self._loaded[kind, name] = replace(found, name=shown_name)
        return self._loaded[kind, name]

    def configure(
        self, kind: str, table: ComponentTable, at: Keys, also: Sequence[str] = ("name",)
    ) -> tuple[ComponentConfig | None, list[Fault]]:
        """Check a component's table; returns its config or the faults.

        Args:
            kind: the kind of component that is wanted.
            table: its settings and its name, without other keys of the framework.
            at: the keys that lead to the table.
            also: the framework's keys that the table may have.
        """
        settings = {key: value for key, value in table.items() if key != "name"}
        if not isinstance(table.get("name"), str):
            return None, [self._nameless(kind, table, at)]
        try:
            return self.settled(self.get(kind, table["name"]), settings, at, also)
        except PluginError as error:
            return None, [Fault((*at, "name"), error.what, error.hint)]

    def settled(
        self, component: Component, settings: ComponentTable, at: Keys = (), also: Sequence[str] = ()
    ) -> tuple[ComponentConfig | None, list[Fault]]:
        """Check settings of a component; returns its config or the faults; `PluginError` if it breaks its contract."""
        contract = component.contract
        checked, faults = validate_table(contract.settings, settings, at, str(component), also)
        nested: dict[str, Any] = {}
        for name, inner in contract.nested.items():
            if name in settings:
                nested[name], more = self._nested_configs(inner, settings[name], (*at, name))
                faults += more
        if checked is None or faults:
            return None, faults
        values = {name: _absolute(getattr(checked, name)) for name in contract.settings.model_fields}
        return ComponentConfig(component, values | nested, at), []

    def _nameless(self, kind: str, table: ComponentTable, at: Keys) -> Fault:
        names, noun = ", ".join(self.names(kind)) or "no plugin gives one", with_article(kind)
        if "name" in table:
            return Fault((*at, "name"), f"`name`: expected the name of {noun} ({names}), got {shown(table['name'])}")
        return Fault(at, f"`{dotted(at)}` needs the `name` of {noun}: {names}")

    def _nested_configs(self, kind: str, value: Any, at: Keys) -> tuple[Any, list[Fault]]:
        """Configs of the tables in a value; other values were reported by the validation of the settings."""
        if isinstance(value, dict):
            return self.configure(kind, value, at)
        items = enumerate(value) if isinstance(value, list) else ()
        results = [self.configure(kind, item, (*at, index)) for index, item in items if isinstance(item, dict)]
        return [config for config, _ in results], [fault for _, faults in results for fault in faults]

    def called(self, name: str, kind: str | None = None) -> list[Component]:
        """Find components by name, `package:name`, or package, which means all of its components.

        Raises:
            PluginError: there are none, of this kind if one is given.
        """
        package, short = ComponentName.parse(name)
        found = [
            Component(entry, plugin, entry.name)
            for plugin, entry in self._all(kind)
            if (short == entry.name and (not package or plugin.is_called(package))) or plugin.is_called(name)
        ]
        if not found:
            raise self._unknown(name, kind)
        return found

    def _unknown(self, name: str, kind: str | None) -> PluginError:
        if giver := next((plugin for plugin in self.plugins if plugin.is_called(name) and not plugin.failure), None):
            raise PluginError(f"{giver} gives no component{f' of the kind {kind}' if kind else ''}")
        known = sorted({word for plugin, entry in self._all(kind) for word in (entry.name, plugin.package)})
        hints = [nearest(name, known) or "", *filter(None, map(_absence, self.plugins))]
        noun = with_article(kind or "component")
        what = f"no plugin gives {noun} `{name}`, and no package of plugins is called `{name}`"
        return PluginError(f"{what}; `gen plugins list` shows all", hint="\n".join(filter(None, hints)) or None)

    def _all(self, kind: str | None) -> Iterator[tuple[Plugin, Registration]]:
        for name in [kind] if kind else KINDS:
            yield from self._registered(name)

    def _registered(self, kind: str) -> Iterator[tuple[Plugin, Registration]]:
        for plugin in self.plugins:
            yield from ((plugin, entry) for entry in plugin.registrations if entry.kind.name == kind)

    def _find(self, kind: str, full_name: str) -> tuple[Registration, Plugin]:
        package, name = ComponentName.parse(full_name)
        found = [
            (entry, plugin)
            for plugin, entry in self._registered(kind)
            if entry.name == name and (not package or plugin.is_called(package))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise collision(kind, name, [plugin for _, plugin in found])
        raise self._missing(kind, package, name, full_name)

    def _missing(self, kind: str, package: str, name: str, full_name: str) -> PluginError:
        givers = [plugin for plugin in self.plugins if not package or plugin.is_called(package)]
        if not givers:
            packages = sorted({plugin.package for plugin in self.plugins})
            wanted = f'the {kind} "{full_name}" is missing: no plugin'
            if package.endswith(".py"):
                what = f"{wanted} file `{package}` is given"
                return PluginError(what, hint=f"Add --plugin and the path of {package}; a run has it in `plugins`.")
            what = f"{wanted} of a package `{package}` is installed; there are {', '.join(packages)}"
            return PluginError(what, hint=nearest(package, packages))
        names = sorted({entry.name for plugin, entry in self._registered(kind) if plugin in givers})
        hints = [nearest(name, names) or "", *filter(None, map(_absence, givers))]
        what = f'no plugin gives {with_article(kind)} "{full_name}"'
        there = f"there are {', '.join(names)}" if names else "there are none"
        return PluginError(f"{what}; {there}", hint="\n".join(filter(None, hints)) or None)


def _absence(plugin: Plugin) -> str | None:
    """Reason why a plugin gives no components."""
    if plugin.is_left_out:
        return f"GENLAB_PLUGINS leaves out `{plugin.name}` of {plugin}."
    return f"The plugin {plugin} did not load: {plugin.failure}" if plugin.failure else None


def _absolute(value: Any) -> Any:
    """Make paths absolute, so that a run can be resumed from any working directory."""
    if isinstance(value, Path):
        return value.expanduser().absolute()
    return type(value)(map(_absolute, value)) if type(value) in (list, tuple) else value
