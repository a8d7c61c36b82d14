"""Registration of components by kind and name. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genlab.errors import PluginError
from genlab.interfaces.kinds import KINDS, Kind

Target = str | type


@dataclass(frozen=True)
class Registration:
    """One component as a plugin registered it: not imported yet, unless it was given as a class."""

    kind: Kind
    name: str
    target: Target
    preset: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Registry:
    """Takes the components of one plugin.

    Each method takes the name that recipes use, where the class is (`"package.module:Class"`, or the class itself),
    and settings that this name fixes: `registry.generator("encoder_decoder", "...:UNet", skips=False)`.
    """

    def __init__(self) -> None:
        self.registrations: list[Registration] = []

    def generator(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a generator."""
        self._add("generator", name, target, preset)

    def discriminator(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a discriminator."""
        self._add("discriminator", name, target, preset)

    def network(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a network that is neither a generator nor a discriminator, such as an encoder."""
        self._add("network", name, target, preset)

    def loss(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a loss."""
        self._add("loss", name, target, preset)

    def dataset(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a dataset."""
        self._add("dataset", name, target, preset)

    def augmentation(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register an augmentation."""
        self._add("augmentation", name, target, preset)

    def metric(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a metric."""
        self._add("metric", name, target, preset)

    def method(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a method."""
        self._add("method", name, target, preset)

    def optimizer(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register an optimizer."""
        self._add("optimizer", name, target, preset)

    def schedule(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a schedule of the learning rate."""
        self._add("schedule", name, target, preset)

    def listener(self, name: str, target: Target, /, **preset: Any) -> None:
        """Register a listener."""
        self._add("listener", name, target, preset)

    def _add(self, kind: str, name: str, target: Target, preset: Mapping[str, Any]) -> None:
        if not name.isidentifier():
            raise PluginError(f"{kind} name {name!r} is not a word of letters, digits and underscores")
        if any((kind, name) == (other.kind.name, other.name) for other in self.registrations):
            raise PluginError(f"{kind} {name!r} is registered twice")
        if isinstance(target, str) and not all(target.partition(":")):
            raise PluginError(f'{kind} {name!r} is at {target!r}, which is not of the form "package.module:Class"')
        self.registrations.append(Registration(KINDS[kind], name, target, preset))
