"""Discovery of plugins of installed packages and files.

GENLAB_PLUGINS    names the packages, or the entry points, that may take part; others are not imported
GENLAB_STRICT=1   makes any problem of a plugin an error
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from genlab.config.validate import nearest
from genlab.errors import PluginError
from genlab.registry.discovery.load import import_file, load_plugin
from genlab.registry.discovery.overview import PluginRow, overview
from genlab.registry.discovery.packages import Declared, declared_plugins
from genlab.registry.discovery.plugin import Plugin, canonical
from genlab.util.arguments import as_list

ALLOWED = "GENLAB_PLUGINS"
STRICT = "GENLAB_STRICT"


def find_plugins(plugins: Iterable[str | Path] = ()) -> list[Plugin]:
    """All plugins that are installed, and those in the files `plugins`.

    Raises:
        PluginError: a file fails, since it was asked for; anything is wrong with any of them, and GENLAB_STRICT is
            set; or GENLAB_PLUGINS names what is not installed.
    """
    found = all_plugins(plugins)
    if _is_set(STRICT) and (faults := _faults(found)):
        raise PluginError("\n".join(faults), where=f"{STRICT} is set")
    return found


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no", "off")


def _faults(plugins: Sequence[Plugin]) -> list[str]:
    return list(dict.fromkeys(f"{row.plugin}: {row.why}" for row in overview(plugins) if row.is_faulty))


def all_plugins(plugins: Iterable[str | Path] = ()) -> list[Plugin]:
    """Find all plugins, ignoring GENLAB_STRICT, to report their problems."""
    installed = [_installed(declared, is_left_out) for declared, is_left_out in _sifted(declared_plugins())]
    return [*installed, *map(_from_file, _distinct(map(Path, as_list(plugins, "plugins"))))]


def list_plugins(*, plugins: Iterable[str | Path] = ()) -> list[PluginRow]:
    """List every component with its plugin and state, and plugins without components.

    Args:
        plugins: Python files with plugins, in addition to those that are installed.
    """
    return overview(all_plugins(plugins))


def _sifted(plugins: Sequence[Declared]) -> list[tuple[Declared, bool]]:
    """Yield each declared plugin, and whether it is left out."""
    words = [word.strip() for word in os.environ.get(ALLOWED, "").split(",") if word.strip()]
    known = sorted({name for plugin in plugins for name in (plugin.name, canonical(plugin.package))})
    for word in words:
        if word not in known and canonical(word) not in known:
            what = f"no installed plugin is called {word!r}; there are {', '.join(known)}"
            raise PluginError(what, where=ALLOWED, hint=nearest(word, known))
    allowed = {*words, *map(canonical, words)}
    return [
        (plugin, bool(words) and allowed.isdisjoint({plugin.name, canonical(plugin.package)})) for plugin in plugins
    ]


def _installed(declared: Declared, is_left_out: bool) -> Plugin:
    origin = (declared.name, declared.package, declared.version)
    if is_left_out:
        return Plugin(*origin, is_left_out=True)
    loaded = load_plugin(declared.load, declared.name, says_version=True)
    failure = loaded.failure.what if loaded.failure else None
    return Plugin(*origin, None, loaded.registrations, failure, loaded.seconds)


def _distinct(files: Iterable[Path]) -> list[Path]:
    """Each file once; two of the same name would be ambiguous in a recipe and in a run's folder."""
    found: dict[str, Path] = {}
    for file in files:
        other = found.setdefault(file.name, file)
        if _existing(other).resolve() != _existing(file).resolve():
            raise PluginError(f"{other} has the same name; rename one of them", where=f"--plugin {file}")
    return list(found.values())


def _existing(file: Path) -> Path:
    """Path of an existing file under the name that it was given by: a run keeps a copy under that name."""
    with suppress(OSError, RuntimeError):  # a name that is too long, a loop of links, a user that there is not
        path = Path(os.path.abspath(file.expanduser()))  # noqa: PTH100  (it follows no links)
        if path.is_file():
            return path
    raise PluginError("there is no such file", where=f"--plugin {file}")


def _from_file(file: Path) -> Plugin:
    path = _existing(file)
    if path.suffix != ".py":
        raise PluginError(f"{path.name} is not a Python file", where=f"--plugin {file}")
    loaded = load_plugin(lambda: import_file(path), path.stem, says_version=False)
    if loaded.failure:
        failure = loaded.failure
        raise PluginError(failure.what, where=f"--plugin {file}", hint=failure.hint) from failure
    return Plugin(path.stem, path.name, file=path, registrations=loaded.registrations, seconds=loaded.seconds)
