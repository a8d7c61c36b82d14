"""JSON objects that hold their own SHA-256, so that damage is noticed when they are read.

The digest is of the values and not of the text, so an editor may change the layout. It comes first, so that its line
can be removed, which accepts the values as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_KEY = "sha256"


def seal(values: Mapping[str, Any]) -> str:
    """Text of a JSON object, with its digest."""
    return json.dumps({_KEY: _digest(values), **values}, indent=2, ensure_ascii=False) + "\n"


def unseal(content: bytes) -> dict[str, Any]:
    """Values of a JSON object; one without a digest, as from before there were digests, is taken as it is.

    Raises:
        ValueError: it is not a JSON object, or its values do not match its digest.
    """
    try:
        values: object = json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, got {type(values).__name__}")
    digest = values.pop(_KEY, None)
    if digest is not None and digest != _digest(values):
        raise ValueError(f"its values do not match its {_KEY}, so it was damaged or edited")
    return values


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
