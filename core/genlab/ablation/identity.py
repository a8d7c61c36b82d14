"""Content hash that identifies a trial: its recipe, the content of its data, and its code.

Importing this imports no torch.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import Any

from genlab.config.schema import TABLES
from genlab.runs.folder import RunFolder

Identity = Mapping[str, str]


def identity(tables: Mapping[str, Any], fingerprints: Mapping[str, str], code: Mapping[str, str]) -> Identity:
    """Digests of all that decides a trial's result, by name.

    Args:
        tables: the settled recipe.
        fingerprints: of the data, by split, and of what metrics measure with.
        code: digests of packages.
    """
    parts: dict[str, Any] = {"the recipe": substance(tables), "the data": dict(fingerprints)}
    digests = {name: hashlib.sha256(_canonical(part)).hexdigest() for name, part in parts.items()}
    return digests | {f"the code of {name}": digest for name, digest in code.items()}


def substance(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a recipe that decides the result: not its title, its listeners, or when it saves."""
    left_out = {"title", "listeners", *(name for name, table in TABLES.items() if not table.decides_result)}
    return {key: value for key, value in tables.items() if key not in left_out}


def identity_of(folder: RunFolder) -> Identity:
    """Identity of an existing run."""
    manifest = folder.read()
    tables = tomllib.loads(folder.recipe_path.read_text(encoding="utf-8"))
    found = identity(tables, manifest.data.fingerprints, manifest.code)
    return {**found, "a change of the data": "accepted"} if manifest.data.changes else found


def key(identity: Identity) -> str:
    """A name for the trial of an identity."""
    return hashlib.sha256(_canonical(dict(identity))).hexdigest()[:16]


def differences(one: Identity, other: Identity) -> list[str]:
    """Differences between two identities, in words."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
