"""A plugin's module imported, held to the interface, and asked for its components; whatever it does is caught."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pluggy

from genlab import hooks
from genlab.errors import PluginError
from genlab.failures import reason
from genlab.registry import Registration, Registry

FILE_PREFIX = "genlab_file_"
"""What the name of a module begins with that was imported from a file given as a plugin."""

VERSION = "genlab_interface"


class Loaded(NamedTuple):
    """What came of a plugin: its components, or why there are none; and how many seconds that took."""

    registrations: Sequence[Registration]
    failure: PluginError | None
    seconds: float


def load(find: Callable[[], Any], name: str, *, says_version: bool) -> Loaded:
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


_importing = threading.RLock()
"""What follows is the whole process's, so two threads must not do it at once."""


@contextmanager
def guarded() -> Generator[None, None, None]:
    """While a plugin is imported: what it prints goes to standard error, as it is no answer to a command.

    Afterwards the streams and the working directory are what they were.
    """
    with _importing, _output_aside(), _same_folder():
        yield


@contextmanager
def _output_aside() -> Generator[None, None, None]:
    stderr, kept = sys.stderr, _output_to_error()
    try:
        with redirect_stdout(stderr):
            yield
    finally:
        sys.stderr = stderr
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _output_to_error() -> int | None:
    """Let the process's output go to its errors; where it goes otherwise. None where there are no such streams."""
    try:
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
            sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError):
        return None
    return kept


@contextmanager
def _same_folder() -> Generator[None, None, None]:
    try:
        folder = Path.cwd()
    except OSError:  # it is gone
        folder = None
    try:
        yield
    finally:
        if folder:
            with suppress(OSError):
                os.chdir(folder)


@contextmanager
def _caught() -> Generator[None, None, None]:
    """Turn whatever a plugin's code raises into a `PluginError`, but an interruption."""
    try:
        yield
    except (KeyboardInterrupt, PluginError):
        raise
    except BaseException as error:
        raise PluginError(f"{reason(error)}{_version_hint(error)}") from error


def _version_hint(error: BaseException) -> str:
    """A plugin made for a later interface fails first by a name that is not there yet."""
    misses_a_name = isinstance(error, ImportError | AttributeError) and "genlab" in str(error)
    if not misses_a_name or isinstance(error, ModuleNotFoundError):
        return ""
    return f"; this genlab has version {hooks.INTERFACE} of the interface: is the plugin made for a later one?"


def import_file(path: Path) -> ModuleType:
    """A Python file as a module; `PluginError` if it is none."""
    name = f"{FILE_PREFIX}{re.sub(r'[^0-9a-zA-Z_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _register(module: Any, name: str, says_version: bool) -> list[Registration]:
    """Ask one plugin for its components; pluggy checks the hook's name and arguments."""
    _check_version(getattr(module, VERSION, None), says_version)
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
        raise PluginError("its hook `genlab_register` is no plain function: without `yield` or `async` it is called")
    registry = Registry()
    manager.hook.genlab_register(registry=registry)
    return registry.registrations


def _is_no_plain(function: Callable[..., object]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function)


def _check_version(made_for: object, is_needed: bool) -> None:
    """Whether a plugin is made for this interface: the same major version, and no later minor one."""
    if made_for is None:
        if is_needed:
            what = "it does not say which version of the interface it is made for"
            raise PluginError(f'{what}; for this one, write `{VERSION} = "{hooks.INTERFACE}"` in its module')
        return
    if not (isinstance(made_for, str) and re.fullmatch(r"\d+\.\d+", made_for)):
        raise PluginError(f'its `{VERSION}` is {made_for!r}, and it is a text such as "{hooks.INTERFACE}"')
    (major, minor), (our_major, our_minor) = _numbers(made_for), _numbers(hooks.INTERFACE)
    what = f"it is made for version {made_for} of the interface, and this genlab has {hooks.INTERFACE}"
    if (major, minor) > (our_major, our_minor):
        raise PluginError(f"{what}; a newer genlab is needed, or an older version of the plugin")
    if major < our_major:
        raise PluginError(f"{what}; a newer version of the plugin is needed, or an older genlab")


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
