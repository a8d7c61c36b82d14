"""The recipes that ship with genlab."""

from __future__ import annotations

from pathlib import Path

import genlab


def shipped_folder() -> Path:
    """In an installed package, `genlab/recipes`; in a checkout, `recipes` at its top."""
    package = Path(genlab.__file__).parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def shipped_names() -> list[str]:
    """Names of the recipes that ship with genlab, sorted."""
    return sorted(path.stem for path in shipped_folder().glob("*.toml"))


def shipped_recipe(name: str) -> Path | None:
    """The file of a shipped recipe, by name, with or without `.toml`."""
    path = shipped_folder() / f"{name.removesuffix('.toml')}.toml"
    return path if path.is_file() else None
