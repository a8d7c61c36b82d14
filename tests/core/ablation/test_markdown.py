"""Names and texts in report.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

import genlab
from genlab.util.markdown import as_markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("a\n# b\r\nc", "a # b c"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("`a` **b** ~~c~~", "\\`a\\` \\*\\*b\\*\\* \\~\\~c\\~\\~"),
        ("![a](http://b.c)", "!\\[a\\](http\\://b.c)"),
        ("WWW.a.b", "WWW\\.a.b"),
        ("lr_x _y_", "lr_x \\_y\\_"),
        ("\x1b[31m", "\\\\u001b\\[31m"),
        ("validation/l1: +0.01 to -0.2 (95 %)", "validation/l1: +0.01 to -0.2 (95 %)"),
        (Markup("| a |"), "| a |"),
        (1.5, 1.5),
    ],
)
def test_it_means_nothing_to_markdown(text: object, expected: object) -> None:
    assert as_markdown(text) == expected


def test_a_report_has_no_markup_of_its_recipe(recipe: Path, copy: Path) -> None:
    title = "a | b\\n\\n# c <script>alert(1)</script> [d](http://e.f) `g`"
    recipe.write_text(recipe.read_text().replace("Do skips matter?", title))
    genlab.ablate(recipe, out=copy)
    first, *rest = (copy / "report.md").read_text().splitlines()
    assert first == "# a \\| b # c &lt;script&gt;alert(1)&lt;/script&gt; \\[d\\](http\\://e.f) \\`g\\`"
    assert not any(line.startswith("# ") for line in rest)
    assert any(line.startswith("| no-skips |") and line.count("|") == 6 for line in rest)
