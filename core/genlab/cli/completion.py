"""Completion of the command line's arguments in a shell, which imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from glob import escape, glob
from typing import Any, cast

import typer


def complete_recipe(incomplete: str) -> list[tuple[str, str]]:
    """Built-in recipes with their titles, and recipes' files here and one folder down."""
    from genlab.config.load import list_recipes

    files = [path for pattern in ("*.toml", "*/*.toml") for path in _paths(incomplete, pattern)]
    return [*list_recipes().items(), *((path, "") for path in files)]


def complete_run(incomplete: str) -> list[str]:
    """Runs below the folder `runs` and below what is typed, trials of ablations among them."""
    return _folders_with("run.json", incomplete, ("*", "*/*", "*/*/*"))


def complete_board(incomplete: str) -> list[str]:
    """Runs and ablations below the folder `runs` and below what is typed."""
    return [*_folders_with("report.json", incomplete, ("*",)), *complete_run(incomplete)]


def complete_override(context: typer.Context, incomplete: str) -> list[str]:
    """`KEY=` of the framework's tables, and of what the recipe on the command line sets."""
    from genlab.config.load import load_recipe
    from genlab.config.schema import TABLES
    from genlab.errors import GenlabError
    from genlab.interfaces.kinds import KINDS

    if "=" in incomplete:
        return []
    keys = {"seed", *(f"{name}.{key}" for name, table in TABLES.items() for key in table.model_fields)}
    keys |= {f"{kind.name}.{key}" for kind in KINDS.values() if kind.default for key in kind.reserved}
    # An option that lacks its value, as the one that is completed, leaves earlier arguments unnamed.
    words = [context.params.get("recipe"), *context.args]
    with suppress(GenlabError, OSError):
        keys.update(_leaves(load_recipe(next(filter(None, words), "")).values))
    return [f"{key}=" for key in sorted(keys)]


def _folders_with(name: str, incomplete: str, patterns: Sequence[str]) -> list[str]:
    places = [(start, f"{pattern}/{name}") for start in ("runs/", incomplete) for pattern in patterns]
    return sorted({path[: -len(f"/{name}")] for start, pattern in places for path in _paths(start, pattern)})


def _paths(start: str, pattern: str) -> list[str]:
    """Paths that begin as `start`, literally, and go on as the pattern."""
    return sorted(glob(escape(start) + pattern))  # noqa: PTH207  (a path of pathlib forgets a `./`)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted keys of the values in nested tables."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
