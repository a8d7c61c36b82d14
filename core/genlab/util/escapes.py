"""Text of recipes, files and plugins, made safe to show. Importing this imports no torch."""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor, change its state, or reorder what it shows; not tabs and line breaks."""


def escape_controls(text: str) -> str:
    r"""Replace control characters by escapes as JSON and TOML write them, such as `\u001b`."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Replace control characters and line breaks, for a name that could otherwise pretend to be a line of output."""
    return escape_controls(text).replace("\n", "\\n")
