"""Built-in recipes."""

from __future__ import annotations

from pathlib import Path

import genlab


def shipped_folder() -> Path:
    """Folder of the built-in recipes: `genlab/recipes` of an installed package, `recipes` of a checkout."""
    package = Path(genlab.__file__).parent
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def shipped_names() -> list[str]:
    """Names of the built-in recipes, sorted."""
    return sorted(path.stem for path in shipped_folder().glob("*.toml"))


def shipped_recipe(name: str) -> Path | None:
    """Path of a built-in recipe by name, with or without `.toml`; None if there is none."""
    path = shipped_folder() / f"{name.removesuffix('.toml')}.toml"
    return path if path.is_file() else None
