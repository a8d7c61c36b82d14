"""Self-contained HTML pages: one style, light and dark, with everything embedded. Importing this imports no torch.

A page's template extends `page.html.jinja`, with the blocks `content` and, for more rules, `style`. The macro
`picture_rows` of `pictures.html.jinja` shows rows of pictures, each with a slider between two of them. A wide table of
the class `cards` has cells with a `data-label`, which take the place of its `<thead>` on a narrow screen.
"""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray
from PIL import Image


def render_page(package: str, template: str, **values: object) -> str:
    """Render a page of a package's template.

    The filter `breakable` lets a long name break into lines. Values are escaped, other than `markupsafe.Markup`, such
    as of SVG drawings.

    Args:
        package: the package with the template, such as `genlab.tools.compare`.
        template: the template's file there, such as `compare.html.jinja`.
        values: its variables; `page.html.jinja` wants `title`.
    """
    loader = ChoiceLoader([PackageLoader(name, "") for name in (package, "genlab.drawing")])
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    environment.filters["breakable"] = breakable
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return environment.get_template(template).render(values, now=now)


def embedded_png(pixels: NDArray[np.uint8]) -> str:
    """Data URL of a picture as a PNG.

    Args:
        pixels: uint8 (height, width, 3), or (height, width) for gray.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def breakable(name: str) -> Markup:
    """Escaped name, such as of a score or a run, that may break into lines after a sign."""
    return Markup(re.sub(r"([/_+=.-])", r"\1<wbr>", str(escape(name))))
