"""Backslashes of Windows paths that TOML reads as escape sequences."""

from __future__ import annotations

import os
import re
from pathlib import Path

BACKSLASH = 'In "..." a backslash starts an escape sequence'
_ESCAPED = re.compile(r"[\b\t\n\f\r]")
_DRIVE = re.compile(r"[A-Za-z]:")


def has_escapes(value: object) -> bool:
    """True for the path of nothing that exists, or text that begins with a drive, if it has line breaks or the like."""
    if isinstance(value, Path):
        # Unlike those of `Path`, these raise nothing, whatever the name.
        return bool(_ESCAPED.search(str(value))) and not os.path.exists(os.path.expanduser(value))  # noqa: PTH110, PTH111
    return isinstance(value, str) and bool(_DRIVE.match(value) and _ESCAPED.search(value))


def escape_hint(text: str) -> str:
    r"""Hint at the path that was meant.

    Args:
        text: the path in TOML notation, such as `"C:\new"`.
    """
    meant = text[1:-1].replace("\\\\", "\\")
    forward = meant.replace("\\", "/")
    return f"{BACKSLASH}: write '{meant}' or \"{forward}\"."
