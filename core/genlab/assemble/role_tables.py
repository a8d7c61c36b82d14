"""Components that are configured by role: the optimizer and the schedule of each trained network."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar

from genlab.config.component_name import is_other_name
from genlab.config.document import Document
from genlab.config.schema import KEYS_BESIDE_SETTINGS, Table
from genlab.config.validate import Keys, dotted, shown, validate_table
from genlab.errors import Fault
from genlab.interfaces.kinds import KINDS, Kind
from genlab.registry.components import ComponentConfig, Components, ComponentTable

Beside = TypeVar("Beside", bound=Table)

Resolved = dict[str, "RoleConfig[Any]"]

_SETTING = re.compile(rf"`({'|'.join(KEYS_BESIDE_SETTINGS)})\.")
"""The start of a setting of all roles, in a hint."""


class RoleConfig(NamedTuple, Generic[Beside]):
    """A component for the network of a role.

    Args:
        config: the component and its settings.
        keys: the framework's keys of its table.
    """

    config: ComponentConfig
    keys: Beside

    def table(self) -> ComponentTable:
        """Its table in a recipe, every default included but a `clip` of infinity."""
        return self.config.table() | {key: value for key, value in self.keys if value != math.inf}


def resolve_roles(
    kind: Kind, given: ComponentTable, roles: Collection[str], components: Components
) -> tuple[Resolved, list[Fault]]:
    """Resolve a kind's table for each role: the role's own table over what the others share.

    Args:
        kind: of the component.
        given: the table, with those of roles in it.
        roles: of the trained networks.
        components: all that there are.
    """
    shared, own = _split(kind, given, roles)
    resolved: Resolved = {}
    _, unused = _configure(kind, shared, (kind.name,), components, roles)
    # What it lacks may be in the tables of roles, but what is wrong with a key is so even if no role has it.
    faults = [fault for fault in unused if len(fault.path) > 1]
    for role in roles:
        table = own.get(role, {})
        if not isinstance(table, dict):
            at = (kind.name, role)
            faults.append(Fault(at, f"`{dotted(at)}`: expected a table, got {shown(table)}"))
            continue
        at = (kind.name, role) if table else (kind.name,)
        merged = table if _stands_alone(shared, table) else {**shared, **table}
        config, found = _configure(kind, merged, at, components, roles)
        faults += [_where_it_is_written(fault, at, table) for fault in found]
        if config:
            resolved[role] = config
    return resolved, list(dict.fromkeys(faults))


def _split(kind: Kind, given: ComponentTable, roles: Collection[str]) -> tuple[ComponentTable, dict[str, Any]]:
    """The part of a table that roles share, with the component's name, and the tables of roles; false drops one."""
    shared = {key: value for key, value in given.items() if key not in roles}
    return {"name": kind.default, **shared}, {
        key: value for key, value in given.items() if key in roles and value is not False
    }


def _configure(
    kind: Kind, table: ComponentTable, at: Keys, components: Components, roles: Collection[str]
) -> tuple[RoleConfig[Any] | None, list[Fault]]:
    ours = {key: value for key, value in table.items() if key in kind.reserved and key != "name"}
    settings = {key: value for key, value in table.items() if key not in ours}
    config, faults = components.configure(kind.name, settings, at, (*kind.reserved, *roles))
    keys, more = validate_table(KEYS_BESIDE_SETTINGS[kind.name], ours, at, f"[{kind.name}]")
    return (RoleConfig(config, keys) if config and keys else None), [*faults, *more]


def _stands_alone(shared: ComponentTable, own: ComponentTable) -> bool:
    """True if a role's table names another component, as settings are of the one that they were written for."""
    return "name" in own and is_other_name(shared["name"], own["name"])


def _where_it_is_written(fault: Fault, at: Keys, own: ComponentTable) -> Fault:
    """A fault in a role's own table, with a hint at its settings, or in that of all if its key is from there."""
    rest = fault.path[len(at) :]
    if rest and rest[0] not in own:
        return replace(fault, path=(*at[:1], *rest))
    hint = fault.hint and _SETTING.sub(lambda found: f"`{dotted((found[1], *at[1:]))}.", fault.hint)
    return replace(fault, hint=hint)


def overruled(document: Document, roles: Collection[str]) -> Iterator[Fault]:
    """Faults of assignments that change nothing, as each role has its own value."""
    for kind in _by_role():
        shared, own = _split(kind, dict(document.values.get(kind.name, {})), roles)
        for key in shared:
            origin = document.origins.get((kind.name, key))
            tables = [own.get(role, {}) for role in roles]
            if origin and origin.is_assignment and all(key in it or _stands_alone(shared, it) for it in tables):
                what = f"`{dotted((kind.name, key))}` changes nothing: each network has its own {kind.name}"
                names = " and ".join(dotted((kind.name, role, key)) for role in roles)
                yield Fault((kind.name, key), what, f"Set {names}.", at_key=True)


def _by_role() -> Iterable[Kind]:
    return (KINDS[name] for name in KEYS_BESIDE_SETTINGS)


def written(configs: Mapping[str, RoleConfig[Any]]) -> ComponentTable:
    """The table of a recipe: one for all roles where they agree, and otherwise each role's own in it."""
    tables = {role: config.table() for role, config in configs.items()}
    first, *others = tables.values()
    return tables if any(table != first for table in others) else first


def resolved_key(tables: Mapping[str, Any], keys: Keys) -> Keys:
    """The key of a role's value in a resolved recipe, which has one table where all roles agree."""
    kind, *rest = keys
    is_of_role = kind in KEYS_BESIDE_SETTINGS and len(rest) > 1
    return (kind, *rest[1:]) if is_of_role and rest[0] not in tables[str(kind)] else keys


def aligned(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tables of two resolved recipes of the same roles, by role where one of both has them so."""
    pair = dict(one), dict(other)
    for kind in _by_role():
        by_role = [tables[kind.name] for tables in pair if "name" not in tables[kind.name]]
        for tables in pair if by_role else ():
            if "name" in tables[kind.name]:
                tables[kind.name] = dict.fromkeys(by_role[0], tables[kind.name])
    return pair
