"""HTML pages: embedded, escaped, and free of anything from elsewhere."""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from genlab.drawing.page import breakable, embedded_png, render_page

TEMPLATE = """{% extends "page.html.jinja" %}
{% from "pictures.html.jinja" import picture_rows %}
{% block content %}
{{ drawing }}
{{ picture_rows(columns, rows, 1, 2) }}
{% endblock %}
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    package = tmp_path / "pages_of_somebody"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "sheet.html.jinja").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(tmp_path)
    picture = embedded_png(np.zeros((2, 3, 3), np.uint8))
    try:
        return render_page(
            "pages_of_somebody",
            "sheet.html.jinja",
            title="<b>1 & 2",
            drawing=Markup("<svg></svg>"),
            columns=["condition", "a<b", "target"],
            rows={"pair <1>": [picture] * 3},
        )
    finally:
        sys.modules.pop("pages_of_somebody", None)


def test_text_is_escaped_and_drawings_are_not(page: str) -> None:
    assert "<title>&lt;b&gt;1 &amp; 2</title>" in page
    assert "<svg></svg>" in page
    assert "a&lt;b" in page
    assert "pair &lt;1&gt;" in page
    assert "a<b" not in page


def test_nothing_comes_from_elsewhere(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?!data:)|url\(|@import|https?://', page)


def test_a_row_has_its_pictures_once_and_a_slider_for_the_keyboard(page: str) -> None:
    assert page.count("data:image/png") == 3
    assert page.count('type="range"') == 1
    selected = re.findall(r'<option value="(\d)" selected>', page)
    assert selected == ["1", "2"]


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5)])
def test_a_picture_keeps_its_pixels(shape: tuple[int, ...]) -> None:
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    _, encoded = embedded_png(pixels).split(",")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))), pixels)


def test_a_long_name_breaks_after_its_signs() -> None:
    assert breakable("validation/l1<") == "validation/<wbr>l1&lt;"
