"""A discovered plugin, and its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from typing_extensions import override

from genlab.config.component_name import canonical
from genlab.registry.discovery.plugin_file import PluginFile
from genlab.registry.registry import Registration

SLOW = 1.0
"""Maximum import time of an installed plugin in seconds, as every command waits for it."""

State = Literal["ok", "slow", "failed", "left out"]


@dataclass(frozen=True)
class Plugin:
    """A discovered plugin.

    Args:
        name: its entry point's name, or the file's stem.
        package: the distribution that brings it, or the file's name.
        version: the distribution's version; empty for a file.
        file: the file as it was read, for a plugin in one.
        registrations: the components it gives.
        failure: why it gives none; None when all is well.
        seconds: how long importing it took.
        is_left_out: whether the environment variable GENLAB_PLUGINS leaves it out; it was not imported then.
    """

    name: str
    package: str
    version: str = ""
    file: PluginFile | None = None
    registrations: Sequence[Registration] = field(default_factory=list[Registration])
    failure: str | None = None
    seconds: float = 0.0
    is_left_out: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.package} {self.version}".rstrip()

    @property
    def state(self) -> State:
        """State of the plugin: ok, slow to import, failed or left out."""
        if self.is_left_out:
            return "left out"
        if self.failure:
            return "failed"
        # A file was asked for, and only then is it waited for.
        return "slow" if self.seconds > SLOW and self.file is None else "ok"

    def is_called(self, package: str) -> bool:
        """True for the package's name in any spelling, with other dashes and capitals."""
        return canonical(package) == canonical(self.package)
