"""A copy of a recipe to edit."""

from __future__ import annotations

from pathlib import Path

from genlab.errors import GenlabError
from genlab.recipe.load import find


def copy_recipe(recipe: str | Path, to: Path) -> Path:
    """Copy a recipe to a new file, or into a folder under its own name.

    Raises:
        GenlabError: the file exists, or its folder does not.
    """
    source = find(recipe)
    target = to / source.name if to.is_dir() else to
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(source.read_text(encoding="utf-8"))
    except FileExistsError as error:
        raise GenlabError("this file exists already; nothing was written", where=str(target)) from error
    except OSError as error:
        raise GenlabError(f"the copy cannot be written: {error.strerror}", where=str(target)) from error
    return target
