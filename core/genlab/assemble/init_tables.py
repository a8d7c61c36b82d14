"""The tables `[init.ROLE]` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlab.config.init_table import Init, InitTable
from genlab.config.validate import dotted, nearest, shown, validate_table
from genlab.errors import Fault
from genlab.interfaces.role import Role
from genlab.registry.components import ComponentConfig


def read_init(given: Mapping[str, Any], method: ComponentConfig) -> tuple[dict[str, Init], list[Fault]]:
    """Validate the tables; returns them by role, and their faults. A role set to false is removed.

    Args:
        given: the tables as TOML gives them, by role.
        method: the recipe's, which has the roles.
    """
    roles: Mapping[str, Role] = method.component.cls.roles
    found: dict[str, Init] = {}
    faults: list[Fault] = []
    for name, table in given.items():
        keys = ("init", name)
        if table is False:
            continue
        if name not in roles:
            what = f"{method.component} has no network `{name}`; it has {', '.join(roles)}"
            faults.append(Fault(keys, what, nearest(name, roles), at_key=True))
        elif not isinstance(table, dict):
            hint = f"To start with the weights of a run: {dotted((*keys, 'from'))} = {shown(table)}"
            faults.append(
                Fault(keys, f"expected a table, got {shown(table)}", hint if isinstance(table, str) else None)
            )
        else:
            checked, wrong = validate_table(InitTable, table, keys, f"[{dotted(keys)}]")
            faults += wrong
            if checked and checked.freeze and not roles[name].trained:
                what = f"{method.component} does not train its {name}, so there is nothing to freeze"
                faults.append(Fault((*keys, "freeze"), what))
            if checked:
                found[name] = checked.absolute()
    return found, faults
