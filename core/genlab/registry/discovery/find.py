"""Discovery of plugins of installed packages and files.

GENLAB_PLUGINS    names the packages, or the entry points, that may take part; others are not imported
GENLAB_STRICT=1   makes any problem of a plugin an error
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from genlab.config.component_name import canonical
from genlab.config.validate import nearest
from genlab.errors import PluginError
from genlab.registry.discovery.load import import_file, load_plugin
from genlab.registry.discovery.overview import PluginRow, overview
from genlab.registry.discovery.packages import Declared, declared_plugins
from genlab.registry.discovery.plugin import Plugin
from genlab.registry.discovery.plugin_file import PluginFile, existing_file
from genlab.registry.discovery.trust import add_trust
from genlab.util.arguments import checked_arguments

ALLOWED = "GENLAB_PLUGINS"
STRICT = "GENLAB_STRICT"


def find_plugins(plugins: Iterable[str | Path] = ()) -> list[Plugin]:
    """All plugins that are installed, and those in the files `plugins`, which are trusted from now on.

    Raises:
        PluginError: a file fails, since it was asked for; anything is wrong with any of them, and GENLAB_STRICT is
            set; or GENLAB_PLUGINS names what is not installed.
    """
    return plugins_with(_named(plugins))


def plugins_with(files: Iterable[PluginFile]) -> list[Plugin]:
    """All plugins that are installed, and those in files that may be run; raises like `find_plugins`."""
    found = _all(files)
    if _is_set(STRICT) and (faults := _faults(found)):
        raise PluginError("\n".join(faults), where=f"{STRICT} is set")
    return found


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "false", "no", "off")


def _faults(plugins: Sequence[Plugin]) -> list[str]:
    return list(dict.fromkeys(f"{row.plugin}: {row.why}" for row in overview(plugins) if row.is_faulty))


def all_plugins(plugins: Iterable[str | Path] = ()) -> list[Plugin]:
    """Find all plugins, ignoring GENLAB_STRICT, to report their problems."""
    return _all(_named(plugins))


def _all(files: Iterable[PluginFile]) -> list[Plugin]:
    installed = [_installed(declared, is_left_out) for declared, is_left_out in _sifted(declared_plugins())]
    return [*installed, *map(_from_file, files)]


def _named(plugins: Iterable[str | Path]) -> list[PluginFile]:
    """Files that the user named, which says that they may be run."""
    distinct = _distinct(map(Path, plugins))
    files = [PluginFile.read(file, _option(file)) for file in distinct]
    add_trust(files)
    return files


@checked_arguments
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
        if existing_file(other, _option(other)).resolve() != existing_file(file, _option(file)).resolve():
            raise PluginError(f"{other} has the same name; rename one of them", where=_option(file))
    return list(found.values())


def _option(file: Path) -> str:
    return f"--plugin {file}"


def _from_file(file: PluginFile) -> Plugin:
    name = file.path.stem
    loaded = load_plugin(lambda: import_file(file), name, says_version=False)
    if loaded.failure:
        failure = loaded.failure
        raise PluginError(failure.what, where=file.where, hint=failure.hint) from failure
    return Plugin(name, file.path.name, file=file, registrations=loaded.registrations, seconds=loaded.seconds)
