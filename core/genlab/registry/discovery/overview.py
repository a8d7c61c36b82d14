"""Overview of all components and their states, as `gen plugins list` shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from genlab.errors import PluginError
from genlab.interfaces.kinds import with_article
from genlab.registry.discovery.plugin import SLOW, Plugin

Key = tuple[str, str]


class PluginRow(NamedTuple):
    """A component, or a plugin that gives none.

    Args:
        kind: the component's kind; empty for a plugin that gives none.
        name: the component's name, or the plugin's.
        plugin: whose it is.
        state: `collides` where another package gives the same name, or the plugin's own state.
        why: what is wrong, and what to do; empty when all is well.
    """

    kind: str
    name: str
    plugin: Plugin
    state: Literal["ok", "slow", "failed", "left out", "collides"]
    why: str = ""

    @property
    def is_faulty(self) -> bool:
        """True unless the plugin is usable or left out."""
        return self.state not in ("ok", "left out")

    def as_dict(self) -> dict[str, Any]:
        """The row in plain JSON values."""
        plugin = self.plugin
        return {
            "kind": self.kind or None,
            "name": self.name,
            "plugin": plugin.name,
            "package": plugin.package,
            "version": plugin.version or None,
            "import_seconds": round(plugin.seconds, 6),
            "state": self.state,
            "why": self.why or None,
        }


def overview(plugins: Sequence[Plugin]) -> list[PluginRow]:
    """All components by kind and name, and then the plugins that give none."""
    givers = _givers(plugins)
    rows = [_row(plugin, key, givers[key]) for key in sorted(givers) for plugin in givers[key]]
    return [*rows, *(_without_components(plugin) for plugin in plugins if not plugin.registrations)]


def _givers(plugins: Sequence[Plugin]) -> Mapping[Key, list[Plugin]]:
    givers: dict[Key, list[Plugin]] = defaultdict(list)
    for plugin in plugins:
        for entry in plugin.registrations:
            givers[entry.kind.name, entry.name].append(plugin)
    return givers


def _row(plugin: Plugin, key: Key, givers: Sequence[Plugin]) -> PluginRow:
    if len(givers) > 1:
        error = collision(*key, givers)
        return PluginRow(*key, plugin, "collides", f"{error.what}. {error.hint}")
    return PluginRow(*key, plugin, plugin.state, _slowness(plugin) if plugin.state == "slow" else "")


def collision(kind: str, name: str, givers: Sequence[Plugin]) -> PluginError:
    """Error for several plugins that give a component of one name."""
    choices = list(dict.fromkeys(f'"{plugin.package}:{name}"' for plugin in givers))
    what = f'more than one plugin gives {with_article(kind)} "{name}"'
    if len(choices) < len(givers):
        both = " and ".join(f"`{plugin.name}` of {plugin}" for plugin in givers)
        return PluginError(f"{what}: {both}", hint="One of them must be renamed.")
    choice = f"Say which: {' or '.join(choices)}"
    return PluginError(what, hint=f"{choice}; for a run from before, GENLAB_PLUGINS says which packages take part.")


def _slowness(plugin: Plugin) -> str:
    what = f"importing it takes {plugin.seconds:.1f} s, more than {SLOW:g}, and every command waits for it"
    return f'{what}. Register classes as "package.module:Class", and import what is heavy in that module.'


def _without_components(plugin: Plugin) -> PluginRow:
    whys = {
        "left out": "GENLAB_PLUGINS does not name it.",
        "failed": plugin.failure or "",
        "slow": _slowness(plugin),
        "ok": "It registers no component.",
    }
    return PluginRow("", plugin.name, plugin, plugin.state, whys[plugin.state])
