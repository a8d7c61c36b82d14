"""Arguments of the public functions, checked where Python would silently misread them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def as_list(values: Iterable[T], argument: str) -> list[T]:
    """List of an argument's values; `TypeError` for a single text or path, which would be read letter by letter."""
    if isinstance(values, str | Path):
        raise TypeError(f"{argument}: expected a list, got {str(values)!r}; write [{str(values)!r}]")
    return list(values)


def as_path(path: str | Path) -> Path:
    """Path with `~` expanded; like a shell, it leaves that of an unknown user as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def at_least(least: int, value: int | None, argument: str) -> None:
    """Raise a `ValueError` for a number below the least one; None is a number that is not given."""
    if value is not None and value < least:
        raise ValueError(f"{argument}: expected an integer of at least {least}, got {value}")


def renamed_arguments(**renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise a `TypeError` that gives the new name for an argument given by its old one."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in renamed.keys() & kwargs.keys():
                raise TypeError(f"the argument `{old}` of {function.__name__}() is called `{renamed[old]}` now")
            return function(*args, **kwargs)

        return checked

    return decorate
