"""Arguments of the public functions, checked before anything is done. Importing this imports no torch."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from genlab.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def checked_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function raise an `ArgumentError` for a value that its argument's annotation does not allow.

    What is annotated as an iterable is a list to the function. No other value is converted.
    """
    signature = inspect.signature(function)
    hints = cache(partial(get_type_hints, function))

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            given.arguments[name] = _checked(name, value, hints()[name])
        return function(*given.args, **given.kwargs)

    return checked


def _checked(argument: str, value: Any, hint: Any) -> Any:
    """The value of an argument; a list if it is an iterable."""
    if get_origin(hint) is Iterable:
        (each,) = get_args(hint)
        return [_checked(f"{argument}[{index}]", item, each) for index, item in enumerate(_as_list(argument, value))]
    try:
        _adapter(hint).validate_python(value)
    except ValidationError:
        what = f"expected {' or '.join(_options(hint))}, got {value!r}"
        raise ArgumentError(what, where=argument) from None
    if isinstance(value, str | Path) and not _is_encodable(value):
        raise ArgumentError(f"expected text or a path that can be encoded, got {str(value)!r}", where=argument)
    return value


def _as_list(argument: str, value: Any) -> list[Any]:
    """List of an argument's values; a single text or path, which would be read letter by letter, is an error."""
    if isinstance(value, str | Path):
        raise ArgumentError(f"expected a list, got {str(value)!r}; write [{str(value)!r}]", where=argument)
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        raise ArgumentError(f"expected a list, got {value!r}", where=argument)
    return list(value)


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=_STRICT)


def _options(hint: Any) -> list[str]:
    """The words that a value may be, and the types."""
    if get_origin(hint) in (Union, UnionType):
        return [option for each in get_args(hint) for option in _options(each)]
    if get_origin(hint) is Literal:
        return [repr(word) for word in get_args(hint)]
    return ["None" if hint is NoneType else inspect.formatannotation(hint)]


def _is_encodable(text: str | Path) -> bool:
    """True for what can be passed to the operating system, as names of files that are not UTF-8 can."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def as_path(path: str | Path) -> Path:
    """Path with `~` expanded; like a shell, it leaves that of an unknown user as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def at_least(least: int, value: int | None, argument: str) -> None:
    """Raise an `ArgumentError` for a number below the least one; None is a number that is not given."""
    if value is not None and value < least:
        raise ArgumentError(f"expected an integer of at least {least}, got {value}", where=argument)


def renamed_arguments(**renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise an `ArgumentError` that gives the new name for an argument given by its old one."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in renamed.keys() & kwargs.keys():
                raise ArgumentError(f"the argument `{old}` of {function.__name__}() is called `{renamed[old]}` now")
            return function(*args, **kwargs)

        return checked

    return decorate
