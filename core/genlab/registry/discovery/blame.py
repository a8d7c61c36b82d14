"""Attribution of exceptions to plugins: a defect of a plugin is not a defect of genlab."""

from __future__ import annotations

import sys
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from genlab.config.component_name import canonical
from genlab.errors import PluginError
from genlab.registry.discovery.load import FILE_PREFIX
from genlab.registry.discovery.packages import declared_plugins
from genlab.registry.hooks import GROUP
from genlab.util.exceptions import summarize

_OURS = frozenset({"genlab", "typer", "rich", "pydantic", "torch", "runpy", "__main__"})
"""Top-level modules that never belong to a plugin."""


class Failure(NamedTuple):
    """An exception in a plugin's code: the plugin, the exception, and the line."""

    owner: str
    what: str


def blamed(error: BaseException) -> PluginError | None:
    """Turn an exception of a plugin's code into an error for users; None if no plugin took part in it."""
    if failure := failure_in_plugin(error):
        hint = "`gen plugins check` shows what a component breaks; `gen --debug` shows where in the code this was."
        return PluginError(f"the plugin {failure.owner} failed: {failure.what}", hint=hint)
    return None


def failure_in_plugin(error: BaseException) -> Failure | None:
    """Attribute an exception to a plugin, by the innermost frame in its code."""
    places = [(raised, *place) for raised in _chain(error) for place in _foreign(raised)]
    if not places and not isinstance(error, AttributeError):
        return None
    owners = _owners()
    for raised, frame, line in places:
        if owner := _owner(_module_of(frame), owners):
            return Failure(owner, f"{summarize(raised)} ({Path(frame.f_code.co_filename).name}, line {line})")
    return _of_object(error, owners)


def _foreign(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Frames that an exception passed outside genlab and the command line, from the innermost."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if _module_of(frame).partition(".")[0] not in _OURS:
            yield frame, line


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception; for one that exits the process also its causes, as the CLI converts some exceptions."""
    yield error
    if isinstance(error, SystemExit) and error.__context__ is not None:
        yield error.__context__
        if error.__context__.__cause__ is not None:
            yield error.__context__.__cause__


def _of_object(error: BaseException, owners: Mapping[str, str]) -> Failure | None:
    """Attribute a missing attribute to the plugin of the object's class, such as one that skips `__init__`."""
    cls = type(error.obj) if isinstance(error, AttributeError) else None
    owner = _owner(cls.__module__, owners) if cls else None
    return Failure(owner, summarize(error)) if owner else None


def _owner(module: str, owners: Mapping[str, str]) -> str | None:
    """Owner of a module, by the longest known prefix of its name."""
    if module.startswith(FILE_PREFIX):
        return Path(str(sys.modules[module].__file__)).name
    names = accumulate(module.split("."), lambda outer, inner: f"{outer}.{inner}")
    return next((owners[name] for name in reversed(list(names)) if name in owners), None)


def _owners() -> dict[str, str]:
    """Packages of plugins by their modules, without genlab's; a module that several packages share has no owner."""
    declared = [plugin for plugin in declared_plugins() if plugin.package != GROUP]
    names = {canonical(plugin.package): f"{plugin.package} {plugin.version}".rstrip() for plugin in declared}
    owners: dict[str, set[str]] = defaultdict(set)
    for module, distributions in _installed_modules().items():
        owners[module] |= {canonical(name) for name in distributions}
    for plugin in declared:
        for module in accumulate(plugin.module.split("."), lambda outer, inner: f"{outer}.{inner}"):
            owners[module].add(canonical(plugin.package))
    single = {module: next(iter(packages)) for module, packages in owners.items() if len(packages) == 1}
    return {module: names[package] for module, package in single.items() if package in names and module not in _OURS}


def _installed_modules() -> Mapping[str, Sequence[str]]:
    """The distributions of each outermost module; none if any of them is damaged."""
    try:
        return metadata.packages_distributions()
    except (TypeError, KeyError, ValueError, AttributeError, OSError):
        return {}
