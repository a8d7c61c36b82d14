"""Names and texts in Markdown."""

from __future__ import annotations

import html
import re

from markupsafe import Markup

from genlab.util.escapes import escape_controls

_SIGNS = re.compile(r"[\\`*{}\[\]|~]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.", re.IGNORECASE)


def as_markdown(value: object) -> object:
    """Escape a text so that it means nothing to Markdown and fits into a table's cell: no HTML, links or line breaks.

    Numbers, and `Markup`, which is Markdown already, are returned as they are.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = html.escape(escape_controls(" ".join(value.split())), quote=False)
    return Markup(_SIGNS.sub(lambda found: f"\\{found[0]}", text))
