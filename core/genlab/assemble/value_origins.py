"""Origins of the values of a resolved recipe, also of those that the table of a role takes from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genlab.assemble.recipe import SHORT_FORMS, Recipe
from genlab.config.component_name import is_other_name
from genlab.config.document import Document
from genlab.config.schema import KEYS_BESIDE_SETTINGS
from genlab.config.validate import Keys
from genlab.interfaces.kinds import KINDS
from genlab.interfaces.role import Role


def value_origin(keys: Keys, recipe: Recipe, document: Document) -> str | None:
    """The place where a value of a resolved recipe was set, or those of several roles; None for a default."""
    places = (_place(key, layers, document) for key, layers in _written_at(keys, recipe))
    return ", ".join(dict.fromkeys(filter(None, places))) or None


def _written_at(keys: Keys, recipe: Recipe) -> Iterator[tuple[Keys, Sequence[Keys]]]:
    """The key of a value in the table of each of its roles, and the layers of this table, the upper one first."""
    first, *rest = keys
    if first in KEYS_BESIDE_SETTINGS:
        is_of_role = rest[0] in recipe.optimizers
        for role in rest[:1] if is_of_role else recipe.optimizers:
            yield tuple(rest[is_of_role:]), [(first, role), (first,)]
    elif first in SHORT_FORMS:
        yield tuple(rest), _network_layers(str(first), recipe.roles)
    elif first == "networks":
        yield tuple(rest[1:]), _network_layers(str(rest[0]), recipe.roles)
    else:
        yield keys, [()]


def _network_layers(role: str, roles: Mapping[str, Role]) -> list[Keys]:
    like = roles[role].like
    below = _network_layers(like, roles) if like else [(roles[role].kind,)]
    return [("networks", role), *below]


def _place(key: Keys, layers: Sequence[Keys], document: Document) -> str | None:
    """The place of a value in the uppermost layer that has it; one that names another component has none below."""
    tables = [_table(document.values, layer) for layer in layers]
    for index, (layer, table) in enumerate(zip(layers, tables, strict=True)):
        if key[0] in table:
            return document.place((*layer, *key))
        named = (below["name"] for below in tables[index + 1 :] if "name" in below)
        default = KINDS[str(layer[0])].default if layer and layer[0] in KINDS else ""
        if "name" in table and is_other_name(next(named, default), table["name"]):
            return None
    return None


def _table(values: Mapping[str, Any], keys: Keys) -> Mapping[str, Any]:
    """The table at some keys; an empty one where there is none."""
    found: Any = values
    for key in keys:
        found = found.get(key, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}
