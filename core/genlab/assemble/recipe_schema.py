"""JSON Schema of recipes, for editors: the framework's tables, and the settings of the installed components."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from typing_extensions import override

from genlab.assemble.recipe import SHORT_FORMS
from genlab.config.init_table import InitTable
from genlab.config.schema import (
    KEYS_BESIDE_SETTINGS,
    OPTIONAL_TABLES,
    TABLES,
    AblationTable,
    LossWeight,
    ScheduledWeight,
    Seed,
)
from genlab.errors import PluginError
from genlab.interfaces.kinds import KINDS, Kind
from genlab.registry.components import Component, Components
from genlab.registry.discovery.find import find_plugins
from genlab.registry.documentation import about
from genlab.util.arguments import checked_arguments

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Weight: Any = LossWeight | ScheduledWeight
_LossKeys = create_model("LossKeys", weight=(_Weight, Field(1.0, description="Of the loss; 0 removes it.")))
_Top = create_model("Top", title=(str, Field("", description="One line for people.")), seed=(Seed, 0))
_FRAMEWORK_KEYS: dict[str, type[BaseModel]] = {**KEYS_BESIDE_SETTINGS, "loss": _LossKeys}


@checked_arguments
def recipe_schema(*, plugins: Iterable[str | Path] = ()) -> dict[str, Any]:
    """JSON Schema of recipes, from the components that are installed.

    It is for editors, which complete and check by it what is written: `gen check` finds more. As a recipe may extend
    another, nothing is required. A table without a `name` may have the settings of all components of its kind.

    Args:
        plugins: Python files with plugins.

    Raises:
        PluginError: a plugin's file cannot be loaded.
    """
    components = Components(find_plugins(plugins))
    found = {kind: _usable(components, kind) for kind in KINDS}
    settings = [component.contract.settings for of_kind in found.values() for component in of_kind]
    models = [_Top, InitTable, AblationTable, *TABLES.values(), *_FRAMEWORK_KEYS.values(), *settings]
    names, generated = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], schema_generator=_Generator
    )
    definitions = _in_toml(generated["$defs"])
    tables = {model: definitions[names[model, "validation"]["$ref"].rpartition("/")[2]] for model in models}
    roles = _roles(found["method"])
    for kind in KINDS.values():
        further = roles if kind.default else {}
        definitions[kind.name] = _component_table(kind, found[kind.name], tables, further)
    return {"$schema": _DIALECT, "title": "Recipe of genlab", **_root(tables, roles), "$defs": definitions}


def _usable(components: Components, kind: str) -> list[Component]:
    """The components of a kind; those that break their contract are left out with a warning."""
    usable: list[Component] = []
    for full_name in components.full_names(kind):
        component = components.get(kind, full_name)
        try:
            _ = component.contract
        except PluginError as error:
            logging.getLogger(__name__).warning("left out of the schema: %s", error.what)
        else:
            usable.append(component)
    return usable


def _roles(methods: Iterable[Component]) -> dict[str, str]:
    """The roles of all methods' networks, with the kind of each."""
    classes: list[Any] = [component.cls for component in methods]
    return {name: role.kind for cls in classes for name, role in cls.roles.items()}


def _root(tables: Mapping[type[BaseModel], Schema], roles: Mapping[str, str]) -> Schema:
    properties: Schema = {"extends": {"type": "string", "description": "The recipe that this one changes."}}
    properties |= tables[_Top]["properties"]
    for name, model in TABLES.items():
        properties[name] = _or_false(tables[model]) if name in OPTIONAL_TABLES else tables[model]
    for kind in KINDS.values():
        if kind.table == ("networks",):
            properties["networks"] = _closed({role: _or_false(_ref(of)) for role, of in roles.items()})
        elif kind.table == ("evaluate", "metrics"):
            evaluate = properties["evaluate"]
            metrics = {"metrics": _by_label(_ref(kind.name))}
            properties["evaluate"] = {**evaluate, "properties": evaluate["properties"] | metrics}
        else:
            properties[kind.table[0]] = _by_label(_ref(kind.name)) if kind.is_labeled else _ref(kind.name)
    properties |= {role: _or_false(_ref(role)) for role in SHORT_FORMS}
    properties["init"] = _by_label(tables[InitTable])
    properties["ablation"] = tables[AblationTable]
    return _closed(properties)


def _component_table(
    kind: Kind,
    found: Iterable[Component],
    tables: Mapping[type[BaseModel], Schema],
    roles: Mapping[str, str],
) -> Schema:
    """One table for each component, by its `name`, and one without a name, with the settings of all of them."""
    keys = tables[_FRAMEWORK_KEYS[kind.name]]["properties"] if kind.name in _FRAMEWORK_KEYS else {}
    keys = keys | {role: _or_false(_ref(kind.name)) for role in roles}
    shared: dict[str, list[Schema]] = {key: [value] for key, value in keys.items()}
    variants: list[Schema] = []
    for component in found:
        contract = component.contract
        settings = dict(tables[contract.settings]["properties"])
        for name, inner in contract.nested.items():
            settings[name] = _with_tables(settings[name], inner)
        for name, value in settings.items():
            if value not in shared.setdefault(name, []):
                shared[name].append(value)
        names = list(dict.fromkeys((component.name, component.full_name)))
        named = {"name": {"type": "string", "enum": names, "description": f"Name of the {kind.name}."}}
        variants.append({**_closed(named | settings | keys, about(component.cls)), "required": ["name"]})
    union = {name: values[0] if len(values) == 1 else {"anyOf": values} for name, values in shared.items()}
    return {"oneOf": [*variants, _closed(union)]}


def _with_tables(schema: Any, kind: str) -> Any:
    """The schema of a setting with the tables of a kind of components where it has any table."""
    if isinstance(schema, list):
        return [_with_tables(item, kind) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "object":
        return _ref(kind) | {key: value for key, value in schema.items() if key == "description"}
    return {key: _with_tables(value, kind) for key, value in schema.items()}


def _closed(properties: Mapping[str, Any], description: str = "") -> Schema:
    told = {"description": description} if description else {}
    return {"type": "object", **told, "properties": dict(properties), "additionalProperties": False}


def _by_label(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": _or_false(schema)}


def _or_false(schema: Schema) -> Schema:
    """A table, or false, which removes what a recipe has from the one that it extends."""
    return {"anyOf": [schema, {"const": False}]}


def _ref(kind: str) -> Schema:
    return {"$ref": f"#/$defs/{kind}"}


def _in_toml(schema: Any) -> Any:
    """A schema without null, without defaults that JSON cannot express, and with nothing required."""
    if isinstance(schema, list):
        return [_in_toml(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    return {key: _in_toml(value) for key, value in schema.items() if not _is_dropped(key, value)}


def _is_dropped(key: str, value: object) -> bool:
    # A setting may have such a name: its value is a table.
    if key == "default":
        return value is None or (isinstance(value, float) and not math.isfinite(value))
    return key == "required" and isinstance(value, list)


class _Generator(GenerateJsonSchema):
    """Schema of settings: without titles, and anything where a type has no schema."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    @override
    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        return {}
