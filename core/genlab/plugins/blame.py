"""Whose code it was that raised an exception: what a stranger's plugin does wrong is no defect of genlab's."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from genlab.errors import PluginError
from genlab.hooks import GROUP
from genlab.plugins.load import FILE_PREFIX
from genlab.plugins.packages import declared_plugins


class Failure(NamedTuple):
    """An exception in a plugin's code: whose it was, and what was raised on which of its lines."""

    owner: str
    what: str


class _Place(NamedTuple):
    frame: FrameType
    line: int


def blamed(error: BaseException) -> PluginError | None:
    """What was raised in a plugin's code as an error for people; None if no plugin had a part in it."""
    if failure := failure_in_plugin(error):
        hint = "`gen plugins check` shows what a component breaks; `gen --debug` shows where in the code this was."
        return PluginError(f"the plugin {failure.owner} failed: {failure.what}", hint=hint)
    return None


def failure_in_plugin(error: BaseException) -> Failure | None:
    """An exception as a plugin's, with the innermost of its lines, as what it called may be PyTorch's."""
    owners = _owners()
    for place in _places(error):
        owner = _owner(str(place.frame.f_globals.get("__name__", "")), owners)
        if owner:
            what = traceback.format_exception_only(error)[-1].splitlines()[0].strip()
            return Failure(owner, f"{what} ({Path(place.frame.f_code.co_filename).name}, line {place.line})")
    return _of_object(error, owners)


def _of_object(error: BaseException, owners: Mapping[str, str]) -> Failure | None:
    """An attribute that genlab looked for in vain in what a plugin's class made, such as one without its `__init__`."""
    cls = type(error.obj) if isinstance(error, AttributeError) else None
    owner = _owner(cls.__module__, owners) if cls else None
    return Failure(owner, f"{type(error).__name__}: {error}") if owner else None


def _owner(module: str, owners: Mapping[str, str]) -> str | None:
    outermost = module.partition(".")[0]
    if outermost.startswith(FILE_PREFIX):
        return f"{outermost.removeprefix(FILE_PREFIX)}.py"
    return owners.get(outermost)


def _owners() -> dict[str, str]:
    """The packages of plugins by the modules that are theirs, but genlab's own."""
    found = (declared for declared in declared_plugins() if declared.package != GROUP)
    return {declared.top_module: f"{declared.package} {declared.version}".rstrip() for declared in found}


def _places(error: BaseException) -> Iterator[_Place]:
    """Where an exception came through, from the innermost."""
    yield from reversed([_Place(*place) for place in traceback.walk_tb(error.__traceback__)])
