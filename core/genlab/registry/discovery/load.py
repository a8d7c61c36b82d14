"""Loading of a plugin: import, version check, registration of components; all of its errors are caught."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pluggy

from genlab.errors import PluginError
from genlab.registry import hooks
from genlab.registry.discovery.guard import guarded
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.registry.discovery.version import VERSION, check_version, version_hint
from genlab.registry.registry import Registration, Registry
from genlab.util.exceptions import summarize_with_location

FILE_PREFIX = "genlab_file_"
"""Prefix of the names of modules imported from files."""


class Loaded(NamedTuple):
    """Result of loading a plugin: its components or its failure, and the seconds that it took."""

    registrations: Sequence[Registration]
    failure: PluginError | None
    seconds: float


def load_plugin(find: Callable[[], Any], name: str, *, says_version: bool) -> Loaded:
    """Import a plugin and ask it for its components.

    Args:
        find: imports it.
        name: its name.
        says_version: whether it must say which version of the interface it is made for, as a package must.
    """
    began = time.perf_counter()
    registrations: Sequence[Registration] = ()
    failure: PluginError | None = None
    try:
        with _caught(), guarded():
            registrations = _register(find(), name, says_version)
    except PluginError as error:
        failure = error
    return Loaded(registrations, failure, time.perf_counter() - began)


@contextmanager
def _caught() -> Generator[None, None, None]:
    """Convert any exception of a plugin's code to a `PluginError`, except interruptions."""
    try:
        yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginError(f"{summarize_with_location(error)}{version_hint(error)}") from error


def import_file(file: PluginFile) -> ModuleType:
    """Import a plugin's file as a module, from its bytes: Python would run a `__pycache__` beside it in their place.

    Raises:
        PluginError: it imports a file beside it.
    """
    _refuse_neighbors(file)
    name = f"{FILE_PREFIX}{re.sub(r'[^0-9a-zA-Z_]', '_', file.path.stem)}"
    spec = importlib.util.spec_from_file_location(name, file.path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(file.code, file.path, "exec", dont_inherit=True), vars(module))
    return module


def _refuse_neighbors(plugin: PluginFile) -> None:
    """Raise a `PluginError` if a file imports another one beside it: a run keeps a copy of the plugin's file alone."""
    path = plugin.path
    for name, line in _imports(ast.parse(plugin.code, path)):
        files = (path.with_name(f"{name}.py"), path.parent / name / "__init__.py")
        found = next((file for file in files if file.is_file() and file != path), None)
        if found and _leads_to(name, found):
            what = f"line {line} imports {found.relative_to(path.parent)} beside it"
            hint = "Put all into one file, or into a package: gen plugins new NAME --kind KIND"
            raise PluginError(f"{what}, and a plugin that is given as a file is one file", hint=hint)


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Outermost modules that a file imports, and the lines that do."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names) | ast.ImportFrom(None, names):
                yield from ((alias.name.partition(".")[0], node.lineno) for alias in names)
            case ast.ImportFrom(str(module)):
                yield module.partition(".")[0], node.lineno
            case _:
                pass


def _leads_to(name: str, file: Path) -> bool:
    """True if the import of a module finds this file, or nothing: the file may add its folder to `sys.path`."""
    spec = importlib.util.find_spec(name)
    return spec is None or spec.origin is None or Path(spec.origin).resolve() == file.resolve()


def _register(module: Any, name: str, says_version: bool) -> list[Registration]:
    """Ask one plugin for its components; pluggy checks the hook's name and arguments."""
    check_version(getattr(module, VERSION, None), says_version)
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
    if any(_is_no_plain(hook.function) for hook in manager.hook.genlab_register.get_hookimpls()):
        raise PluginError("its hook `genlab_register` must be a plain function, without `yield` or `async`")
    registry = Registry()
    manager.hook.genlab_register(registry=registry)
    return registry.registrations


def _is_no_plain(function: Callable[..., object]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function)
