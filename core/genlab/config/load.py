"""Loading of recipes by path or name, with their parents (`extends`) and overrides (`--set`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from genlab.config.backslashes import escape_hint, has_escapes
from genlab.config.builtin import shipped_names, shipped_recipe
from genlab.config.diagnostics import recipe_error
from genlab.config.document import Document, read_file
from genlab.config.overrides import read_assignments
from genlab.config.validate import inline, nearest, shown
from genlab.errors import Fault, RecipeError
from genlab.util.arguments import as_path


def load_recipe(recipe: str | Path, assignments: Iterable[str] = ()) -> Document:
    """Load a recipe: its parents, the recipe itself and the `KEY=VALUE` overrides, each merged over the one before."""
    try:
        document = _with_ancestors(find_recipe(recipe), ())
        return read_assignments(assignments).over(document)
    except RecursionError as error:
        fault = Fault((), "tables, arrays or `extends` are nested too deeply", place=str(recipe))
        raise RecipeError([fault]) from error


def list_recipes() -> dict[str, str]:
    """Titles of the built-in recipes, by name."""
    return {name: str(load_recipe(name).values.get("title", "")) for name in shipped_names()}


def find_recipe(recipe: str | Path) -> Path:
    """Path of a recipe's file, given a path or the name of a built-in recipe."""
    path = as_path(recipe)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise RecipeError([Fault((), f"cannot be read: {error.strerror}", place=str(recipe))]) from error
    shipped = shipped_recipe(path.name) if path.parent == Path() else None
    if shipped is not None:
        return shipped
    if (own := path / "recipe.toml").is_file():
        raise RecipeError([Fault((), "this is a folder, not a recipe", f"Its recipe is {own}.", place=str(recipe))])
    names = shipped_names()
    hint = nearest(path.stem, names) or f"Built-in recipes: {', '.join(names)}."
    raise RecipeError([Fault((), "no such file, and no built-in recipe of that name", hint, place=str(recipe))])


def _with_ancestors(path: Path, children: tuple[Path, ...]) -> Document:
    document = read_file(path)
    parent = document.values.get("extends")
    if parent is None:
        return document
    if not isinstance(parent, str):
        fault = Fault(("extends",), f"`extends`: expected the path or name of one recipe, got {shown(parent)}")
        raise recipe_error([fault], document)
    parent_path = _parent_path(path, parent, document)
    chain = (*children, path.resolve())
    if parent_path.resolve() in chain:
        names = " extends ".join(link.name for link in (*chain, parent_path))
        raise recipe_error([Fault(("extends",), f"a recipe cannot extend itself: {names}")], document)
    values = {key: value for key, value in document.values.items() if key != "extends"}
    child = Document(values, document.origins, document.name)
    return child.over(_with_ancestors(parent_path, chain))


def _parent_path(path: Path, parent: str, document: Document) -> Path:
    beside = path.parent / as_path(parent)
    try:
        if beside.is_file():
            return beside
    except OSError as error:
        raise recipe_error(
            [Fault(("extends",), f"{shown(parent)} cannot be read: {error.strerror}")], document
        ) from error
    shipped = shipped_recipe(parent)
    if shipped is None:
        what = f"no recipe {shown(parent)}, neither as a file relative to this one nor among the built-in recipes"
        names = [*sorted(file.name for file in path.parent.glob("*.toml")), *shipped_names()]
        hint = escape_hint(inline(parent)) if has_escapes(beside) else nearest(parent, names)
        raise recipe_error([Fault(("extends",), what, hint)], document)
    return shipped
