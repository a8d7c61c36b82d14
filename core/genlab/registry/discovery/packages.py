"""Entry points of installed packages that declare plugins; nothing is imported."""

from __future__ import annotations

from importlib import metadata
from typing import Any, NamedTuple

from genlab.config.component_name import canonical
from genlab.errors import PluginError
from genlab.registry.hooks import GROUP


class Declared(NamedTuple):
    """A plugin as its package declares it.

    Args:
        name: the entry point's.
        package: the distribution that declares it.
        version: the distribution's version.
        value: the module, or `module:object`; empty if the declaration itself cannot be read.
    """

    name: str
    package: str
    version: str
    value: str

    @property
    def module(self) -> str:
        """Module of the entry point."""
        return self.value.partition(":")[0]

    def load(self) -> Any:
        """Import it; `PluginError` if the declaration makes no sense."""
        point = metadata.EntryPoint(self.name, self.value, GROUP)
        if not self.value:
            raise PluginError("the entry points of the package cannot be read; install it again")
        if not point.pattern.match(self.value):
            raise PluginError(f"invalid entry point {self.value!r}; expected a module")
        try:
            return point.load()
        except ModuleNotFoundError as error:
            if error.name != point.module:
                raise
            where = f"[project.entry-points.{GROUP}] in its pyproject.toml"
            what = f"its entry point names the module `{point.module}`, which does not exist"
            raise PluginError(f"{what}; fix {where}, and install it again") from error


def declared_plugins() -> list[Declared]:
    """All plugins that installed packages declare, by name.

    Of a package that is there twice, the first on Python's path counts, as when it is imported. Packages are read one
    by one, so that a damaged one harms no other.
    """
    packages: dict[str, list[Declared]] = {}
    for distribution in filter(_mentions_plugins, metadata.distributions()):
        points = _points(distribution)
        package, version = _origin(distribution, points)
        if canonical(package) not in packages:
            found = [Declared(name, package, version, value) for name, value in points.items()]
            packages[canonical(package)] = found or [Declared(package, package, version, "")]
    return sorted(entry for entries in packages.values() for entry in entries)


def _mentions_plugins(distribution: metadata.Distribution) -> bool:
    """Search the text first, which is faster than parsing it."""
    try:
        return f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or "")
    except (OSError, ValueError):
        return False  # unreadable files declare nothing


def _points(distribution: metadata.Distribution) -> dict[str, str]:
    """Names and values of a package's entry points; none if its file is damaged."""
    try:
        return {point.name: point.value for point in distribution.entry_points if point.group == GROUP}
    except (TypeError, ValueError, AttributeError):
        return {}


def _origin(distribution: metadata.Distribution, points: dict[str, str]) -> tuple[str, str]:
    """Package and version; of one without metadata, its module's name."""
    modules = [value.partition(":")[0].partition(".")[0] for value in points.values()]
    try:
        package: str | None = distribution.name
        version: str | None = distribution.version
    except (KeyError, TypeError, AttributeError, ValueError):
        package = version = None
    return package or next(iter(modules), "unknown"), version or ""
