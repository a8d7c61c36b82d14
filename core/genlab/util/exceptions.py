"""Exceptions as text for users: type, message, and the line that raised."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from genlab.errors import GenlabError
from genlab.util.escapes import one_line

_MOST_LINES, _MOST_LETTERS = 4, 1000
_CORE = Path(__file__).parents[1]


def summarize(error: BaseException) -> str:
    """Type and first lines of the message of an exception, safe to print and to store."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  (a class of a plugin may raise here, too)
        said = ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = " ".join(lines[:_MOST_LINES]).encode("utf-8", "backslashreplace").decode()
    name = type(error).__name__
    return f"{name}: {text[:_MOST_LETTERS]}" if text else name


def summarize_with_location(error: BaseException) -> str:
    """Like `summarize`, plus the innermost frame outside genlab and the standard library; a `GenlabError` as it is."""
    if isinstance(error, GenlabError):
        return f"{error.where}: {error.what}" if error.where else error.what
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({one_line(Path(error.filename).name)}, line {error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_foreign(frame.filename)]
    location = f" ({one_line(Path(frames[-1].filename).name)}, line {frames[-1].lineno})" if frames else ""
    return summarize(error) + location


def _is_foreign(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return False
    if "site-packages" in filename or "dist-packages" in filename:
        return not Path(filename).is_relative_to(_CORE)
    return not any(Path(filename).is_relative_to(folder) for folder in (_CORE, Path(os.__file__).parent))
