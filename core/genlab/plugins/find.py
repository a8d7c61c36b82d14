"""The plugins that there are: installed packages' and files'.

GENLAB_PLUGINS    names the packages, or the entry points, that may take part; others are not imported
GENLAB_STRICT=1   makes whatever is wrong with any plugin an error
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from genlab import hooks
from genlab.errors import PluginError
from genlab.plugins.load import import_file, load
from genlab.plugins.overview import overview
from genlab.plugins.plugin import Plugin, canonical
from genlab.tables import nearest

ALLOWED = "GENLAB_PLUGINS"
STRICT = "GENLAB_STRICT"


def find_plugins(files: Iterable[Path] = ()) -> list[Plugin]:
    """All plugins that are installed, and those in `files`.

    Raises:
        PluginError: a file fails, since it was asked for; anything is wrong with any of them, and GENLAB_STRICT is
            set; or GENLAB_PLUGINS names what is not installed.
    """
    found = all_plugins(files)
    if os.environ.get(STRICT, "0") not in ("", "0") and (faults := _faults(found)):
        raise PluginError("\n".join(faults), where=f"{STRICT} is set")
    return found


def _faults(plugins: Sequence[Plugin]) -> list[str]:
    return list(dict.fromkeys(f"{row.plugin}: {row.why}" for row in overview(plugins) if row.is_faulty))


def all_plugins(files: Iterable[Path] = ()) -> list[Plugin]:
    """The same without being strict, for those who want to see what is wrong."""
    installed = [_installed(point, is_left_out) for point, is_left_out in _sifted(entry_points())]
    return [*installed, *map(_from_file, _distinct(files))]


def entry_points() -> list[metadata.EntryPoint]:
    """Where installed packages say that their plugins are."""
    return sorted(metadata.entry_points(group=hooks.GROUP), key=lambda point: (point.name, origin(point)))


def origin(point: metadata.EntryPoint) -> tuple[str, str]:
    """Package and version; of a package whose metadata are damaged, what can be told."""
    distribution = point.dist
    if distribution is None:
        return point.value.partition(":")[0], ""
    data = distribution.metadata
    return data["Name"] or point.value.partition(":")[0], data["Version"] or ""


def _sifted(points: Sequence[metadata.EntryPoint]) -> list[tuple[metadata.EntryPoint, bool]]:
    """Each entry point, and whether it is left out."""
    words = [word.strip() for word in os.environ.get(ALLOWED, "").split(",") if word.strip()]
    known = {name for point in points for name in (point.name, canonical(origin(point)[0]))}
    for word in words:
        if word not in known and canonical(word) not in known:
            what = f"no installed plugin is called {word!r}; there are {', '.join(sorted(known))}"
            raise PluginError(what, where=ALLOWED, hint=nearest(word, sorted(known)))
    allowed = {*words, *map(canonical, words)}
    return [
        (point, bool(words) and point.name not in allowed and canonical(origin(point)[0]) not in allowed)
        for point in points
    ]


def _installed(point: metadata.EntryPoint, is_left_out: bool) -> Plugin:
    package, version = origin(point)
    if is_left_out:
        return Plugin(point.name, package, version, is_left_out=True)
    loaded = load(point.load, point.name, says_version=True)
    failure = loaded.failure.what if loaded.failure else None
    return Plugin(point.name, package, version, None, loaded.registrations, failure, loaded.seconds)


def _distinct(files: Iterable[Path]) -> list[Path]:
    """Each file once; two of one name could not be told apart, neither in a recipe nor in a run's folder."""
    found: dict[str, Path] = {}
    for file in files:
        other = found.setdefault(file.name, file)
        if other.expanduser().resolve() != file.expanduser().resolve():
            raise PluginError(f"{other} has the same name; rename one of them", where=f"--plugin {file}")
    return list(found.values())


def _from_file(file: Path) -> Plugin:
    path = file.expanduser().resolve()
    if not path.is_file():
        raise PluginError("there is no such file", where=f"--plugin {file}")
    loaded = load(lambda: import_file(path), path.stem, says_version=False)
    if loaded.failure:
        raise PluginError(loaded.failure.what, where=f"--plugin {file}") from loaded.failure
    return Plugin(path.stem, path.name, file=path, registrations=loaded.registrations, seconds=loaded.seconds)
