"""Content hash that identifies a trial: its recipe, the content of its data, and its code.

Importing this imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from genlab.config.changed_values import dotted_values
from genlab.runs.folder import RunFolder
from genlab.runs.kept_recipe import kept_recipe
from genlab.runs.recipe_changes import decides_result

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
    """The values of a recipe that decide the result, by dotted key: not its title, its listeners, or when it saves."""
    return {
        key: value
        for key, value in dotted_values(tables)
        # Fingerprints are of the data's content, and not of how it is read.
        if decides_result(key) or key.startswith("data.")
    }


def identity_of(folder: RunFolder) -> Identity:
    """Identity of an existing run; `RunError` if its recipe was edited."""
    manifest = folder.read()
    found = dict(identity(kept_recipe(folder).values, manifest.data.fingerprints, manifest.code))
    if manifest.data.changes:
        found["a change of the data"] = "accepted"
    if any(decides_result(change.key) for change in manifest.recipe_changes):
        found["a change of the recipe"] = "accepted"
    return found


def key(identity: Identity) -> str:
    """A name for the trial of an identity."""
    return hashlib.sha256(_canonical(dict(identity))).hexdigest()[:16]


def differences(one: Identity, other: Identity) -> list[str]:
    """Differences between two identities, in words."""
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
