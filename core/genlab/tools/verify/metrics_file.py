"""Records in a run's metrics.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from genlab.errors import RunError
from genlab.util.bounded import require_regular


def read_records(file: Path) -> Iterator[dict[str, Any]]:
    """Read the records of a metrics.jsonl, in their order; none if there is no file.

    Lines that are not whole are left out, as a killed process leaves them.

    Raises:
        RunError: the file cannot be read.
    """
    if not file.exists():
        return
    try:
        require_regular(file)
        with file.open("rb") as lines:
            yield from filter(None, map(_record, lines))
    except OSError as error:
        what = f"metrics.jsonl cannot be read: {error.strerror or error}"
        raise RunError(what, where=str(file), hint="Restore it, or remove it to verify without it.") from error


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(cast(dict[str, Any], found).get("step"), int):
        return None
    return cast(dict[str, Any], found)
