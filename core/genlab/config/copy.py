"""Copies of recipes to edit."""

from __future__ import annotations

import codecs
from pathlib import Path

from genlab.config.load import find_recipe
from genlab.errors import GenlabError
from genlab.util.arguments import as_path, checked_arguments
from genlab.util.files import storage_errors

SCHEMA_FILE = "recipe.schema.json"
"""The file beside a copy that its first line names, so that an editor completes and checks what is written."""


@checked_arguments
def copy_recipe(recipe: str | Path, to: str | Path = ".") -> Path:
    """Copy a recipe to a new file, or into a folder under its own name.

    A first line, `#:schema ./recipe.schema.json`, is added for editors: `recipe_schema` makes that file.

    Args:
        recipe: the path of a recipe, or the name of one that ships with genlab.
        to: the new file, or a folder.

    Returns:
        The new file.

    Raises:
        GenlabError: the file exists, or its folder does not.
    """
    source, target = find_recipe(recipe), as_path(to)
    with storage_errors(target):
        if target.is_dir():
            target /= source.name
        if target.exists():
            raise GenlabError("the file already exists; nothing was written", where=str(target))
        target.write_bytes(_with_schema(source.read_bytes()))
    return target


def _with_schema(recipe: bytes) -> bytes:
    if b"#:schema " in recipe:
        return recipe
    mark = codecs.BOM_UTF8 if recipe.startswith(codecs.BOM_UTF8) else b""
    return mark + f"#:schema ./{SCHEMA_FILE}\n".encode() + recipe.removeprefix(mark)
