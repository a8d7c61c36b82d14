"""Write the reference: a page for each kind of component, one of a recipe's tables, and one of the Python API.

python docs/make_reference.py    writes docs/reference/*.md; a test fails where they are not current
"""

from __future__ import annotations

from pathlib import Path

from reference_pages.index import index
from reference_pages.kinds import page
from reference_pages.python_api import python_page
from reference_pages.recipe import recipe_page

from genlab.interfaces.kinds import KINDS
from genlab.registry.components import Components
from genlab.registry.discovery.find import find_plugins

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    components = Components([plugin for plugin in find_plugins() if plugin.package == "genlab"])
    found = {f"{kind.name}.md": "\n".join(page(kind, components)).strip() + "\n" for kind in KINDS.values()}
    return {**found, "README.md": index(), "recipe.md": recipe_page(), "python.md": python_page()}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
