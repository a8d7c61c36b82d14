"""Plugins: where they are found, what each gives, and what went wrong. Importing this imports no torch.

A plugin is a module with a `genlab_register` hook, named by an entry point of the group `genlab` or given as one
Python file. A plugin that fails is kept with its failure, so that it costs nobody else anything.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from genlab import hooks
from genlab.errors import PluginError
from genlab.registry import Registration, Registry


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found.

    Args:
        name: its entry point's name, or the file's stem.
        package: the distribution that brings it, or the file's name.
        version: the distribution's version; empty for a file.
        file: the file, for a plugin given as one.
        registrations: the components it gives.
        failure: why it gives none; None when all is well.
    """

    name: str
    package: str
    version: str = ""
    file: Path | None = None
    registrations: Sequence[Registration] = field(default_factory=list[Registration])
    failure: str | None = None

    def __str__(self) -> str:
        return f"{self.package} {self.version}".rstrip()


def find_plugins(files: Iterable[Path] = ()) -> list[Plugin]:
    """All installed plugins, and those in `files`; `PluginError` for a file that fails, since it was asked for."""
    return [*(_installed(point) for point in _entry_points()), *map(_from_file, _distinct(files))]


def _distinct(files: Iterable[Path]) -> list[Path]:
    """Each file once; two of one name could not be told apart, neither in a recipe nor in a run's folder."""
    found: dict[str, Path] = {}
    for file in files:
        other = found.setdefault(file.name, file)
        if other.expanduser().resolve() != file.expanduser().resolve():
            raise PluginError(f"{other} has the same name; rename one of them", where=f"--plugin {file}")
    return list(found.values())


def _entry_points() -> list[metadata.EntryPoint]:
    return sorted(metadata.entry_points(group=hooks.GROUP), key=lambda point: point.name)


def _installed(point: metadata.EntryPoint) -> Plugin:
    distribution = point.dist
    package, version = (distribution.name, distribution.version) if distribution else (point.module, "")
    try:
        return Plugin(point.name, package, version, registrations=_register(point.load(), point.name))
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's module; it is reported where needed)
        return Plugin(point.name, package, version, failure=reason(error))


def _from_file(file: Path) -> Plugin:
    path = file.expanduser().resolve()
    if not path.is_file():
        raise PluginError("there is no such file", where=f"--plugin {file}")
    try:
        registrations = _register(_import_file(path), path.stem)
    except (Exception, SystemExit) as error:
        raise PluginError(reason(error), where=f"--plugin {file}") from error
    return Plugin(path.stem, path.name, file=path, registrations=registrations)


def _import_file(path: Path) -> ModuleType:
    name = f"genlab_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _register(module: Any, name: str) -> list[Registration]:
    """Ask one plugin for its components; pluggy checks the hook's name and arguments."""
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        found = str(error).splitlines()[-1].partition(" in plugin ")[0]
        raise PluginError(f"{found}; a plugin's hook is `genlab_register(registry)`") from error
    if not manager.hook.genlab_register.get_hookimpls():
        raise PluginError("it has no hook `genlab_register` marked with `@genlab.hookimpl`")
    registry = Registry()
    manager.hook.genlab_register(registry=registry)
    return registry.registrations


def reason(error: BaseException) -> str:
    """What happened in a plugin's code, and on which of its lines."""
    if isinstance(error, PluginError):
        return error.what
    text = traceback.format_exception_only(error)[-1].splitlines()[0].strip()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({Path(error.filename).name}, line {error.lineno})"
    ours = Path(hooks.__file__).parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and not Path(frame.filename).is_relative_to(ours)
    ]
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else text
